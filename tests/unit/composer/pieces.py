"""Pieces composed for the tests: every beat with its events and the states before and after it."""

from dataclasses import dataclass
from functools import cache

from hypothesis import settings

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Chord, Event, Note
from services.composer.engine import EngineState, compose_beat, initial_state

FORMAT = AudioFormat()
START = 12_345  # a frame
SECOND = FORMAT.sample_rate_hz
# The machine may be busy, so examples have no deadline; speed is measured only where it is what is tested.
unhurried = settings(deadline=None)
MODES = ("A minor", "C major")
SEEDS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Beat:
    """One composed beat."""

    before: EngineState
    events: tuple[Event, ...]
    after: EngineState

    @property
    def notes(self) -> list[Note]:
        return [event for event in self.events if isinstance(event, Note)]

    @property
    def pitched(self) -> list[Note]:
        return [note for note in self.notes if note.layer != "percussion"]

    def line(self, layer: str) -> list[Note]:
        return [note for note in self.notes if note.layer == layer]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of music from frame 0."""

    beats: tuple[Beat, ...]

    @property
    def events(self) -> list[Event]:
        return [event for beat in self.beats for event in beat.events]

    @property
    def notes(self) -> list[Note]:
        return [event for event in self.events if isinstance(event, Note)]

    def line(self, layer: str) -> list[Note]:
        return [note for note in self.notes if note.layer == layer]

    @property
    def weather(self) -> list[Note]:
        """The texture without its points of light."""
        return [note for note in self.line("texture") if note.patch != "shimmer"]

    @property
    def changes(self) -> list[Beat]:
        """The beats at which a chord begins."""
        return [beat for beat in self.beats if beat.after.chord_ends != beat.before.chord_ends]

    @property
    def chords(self) -> list[Chord]:
        return [next(event for event in beat.events if isinstance(event, Chord)) for beat in self.changes]


def played(state: EngineState, controls: Controls, minutes: float) -> tuple[Beat, ...]:
    """The beats from ``state`` on."""
    beats = []
    until = state.frame + FORMAT.frames(60 * minutes)
    while state.frame < until:
        events, after = compose_beat(state, controls, FORMAT)
        beats.append(Beat(state, events, after))
        state = after
    return tuple(beats)


@cache
def piece(
    seed: int = 1, key: str = "A minor", bpm: float = 60.0, intensity: float = 0.5, minutes: float = 10
) -> Piece:
    """A piece under unchanging controls."""
    controls = Controls(key=key, bpm=bpm, intensity=intensity)
    return Piece(played(initial_state(seed, 0, controls), controls, minutes))


def rest(events, floor):
    """Those of ``events`` that begin at frame ``floor`` or later."""
    return tuple(event for event in events if event.at_frame >= floor)
