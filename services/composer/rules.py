"""The rules that every event is checked against before it is announced; an offender is mended or dropped.

The composer is meant to break none: this is a safety net that runs in production and counts what it catches.
It knows the harmony of the beat but not how a note was chosen.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from auralis.keys import parse_key
from auralis.score.events import Chord, Event, Layer, Note
from services.composer.orchestra import PLAYERS, patches_of
from services.composer.phrase import PlannedNote
from services.composer.state import EngineState

# MIDI pitches; for percussion, the pitches of its drums.
RANGES: Final[Mapping[Layer, tuple[int, int]]] = {
    "drone": (33, 56),
    "pad": (48, 79),
    "choir": (57, 77),
    "bells": (60, 84),
    "melody": (60, 83),
    "answer": (55, 74),
    "texture": (55, 78),
    "percussion": (36, 76),
}
_UNPITCHED: Final[frozenset[Layer]] = frozenset({"percussion"})
_STEP: Final = 2  # most semitones by which a foreign tone may be left
_LONGEST_TICKS: Final = 512  # of a note, in quarters of a beat: more than a minute at any tempo


class Beat(NamedTuple):
    """What a beat's events are checked against: the states before and after it, and the longest note."""

    before: EngineState
    after: EngineState

    @property
    def longest(self) -> int:
        """The longest note allowed, in frames."""
        return (self.after.frame - self.before.frame) * _LONGEST_TICKS // 4

    def tones(self, layer: Layer) -> frozenset[int]:
        """The pitch classes that the chord allows, and the tonic for textures, which span many chords."""
        chord = self.after.chord
        tonic = (parse_key(chord.key).tonic,) if layer == "texture" else ()
        return frozenset((*chord.tones, *chord.scale, chord.bass, *tonic))

    def planned(self, layer: Layer) -> tuple[PlannedNote, ...]:
        """What a voice is about to sing after this beat."""
        if layer == "melody":
            return self.after.melody.phrase
        return self.after.answer.phrase if layer == "answer" else ()


class Checked(NamedTuple):
    """The events that may be announced, and the rules broken by those mended or dropped."""

    events: tuple[Event, ...]
    broken: tuple[str, ...]


def checked(events: tuple[Event, ...], before: EngineState, after: EngineState) -> Checked:
    """Check the ``events`` of the beat between two states against the rules."""
    beat, kept, broken = Beat(before, after), [], []
    for place, event in enumerate(events):
        result: Event | None = event
        for rule, mend in _MENDS.items():
            mended = mend(result, beat, events[place + 1 :]) if result is not None else None
            if mended != result:
                broken.append(rule)
            result = mended
        if result is not None:
            kept.append(result)
    return Checked(tuple(kept), tuple(broken))


Rest = tuple[Event, ...]


def _frame(event: Event, beat: Beat, _: Rest) -> Event:
    at_frame = max(beat.before.frame, min(beat.after.frame - 1, event.at_frame))
    return event if at_frame == event.at_frame else replace(event, at_frame=at_frame)


def _patch(event: Event, _: Beat, __: Rest) -> Event:
    if not isinstance(event, Note) or event.patch in patches_of(event.layer):
        return event
    return replace(event, patch=next(iter(PLAYERS[event.layer])))


def _range(event: Event, _: Beat, __: Rest) -> Event | None:
    """Move a note by octaves into its layer's range; drop it if none fits."""
    if not isinstance(event, Note):
        return event
    low, high = RANGES[event.layer]
    if low <= event.pitch <= high:
        return event
    pitch = low + (event.pitch - low) % 12
    fits = pitch <= high and event.layer not in _UNPITCHED
    return replace(event, pitch=pitch) if fits else None


def _tone(event: Event, beat: Beat, rest: Rest) -> Event | None:
    """Drop a tone outside the chord's scale, unless it is a passing tone that is left by step."""
    if (
        not isinstance(event, Note)
        or event.layer in _UNPITCHED
        or event.pitch % 12 in beat.tones(event.layer)
    ):
        return event
    following = [note.pitch for note in rest if isinstance(note, Note) and note.layer == event.layer]
    following += [note.pitch for note in beat.planned(event.layer)]
    return event if following and 1 <= abs(following[0] - event.pitch) <= _STEP else None


def _length(event: Event, beat: Beat, _: Rest) -> Event:
    if not isinstance(event, Note) or event.duration_frames <= beat.longest:
        return event
    return replace(event, duration_frames=beat.longest)


def _chord(event: Event, beat: Beat, _: Rest) -> Event:
    """Sort a voicing and drop every tone that is neither in the chord nor its bass."""
    if not isinstance(event, Chord):
        return event
    chord = beat.after.chord
    allowed = {*chord.tones, chord.bass}
    pitches = tuple(sorted({pitch for pitch in event.pitches if int(pitch) % 12 in allowed}))
    return event if pitches == event.pitches else replace(event, pitches=pitches)


_MENDS: Final[Mapping[str, Callable[[Event, Beat, Rest], Event | None]]] = {
    "frame": _frame,
    "patch": _patch,
    "range": _range,
    "tone": _tone,
    "length": _length,
    "chord": _chord,
}
RULES: Final = tuple(_MENDS)
