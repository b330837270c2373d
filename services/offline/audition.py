"""One patch by itself: a few notes in a room, as the synth plays them in a channel."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, cast, get_args

import numpy as np

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.controls import Controls
from auralis.errors import InvalidValue
from auralis.score.entry_id import EntryId
from auralis.score.events import Automation, Batch, Event, Layer, Note, Room, Space, Tempo
from auralis.score.score import Score
from services.offline.interruption import Interruption
from services.offline.notes import Chord, parse_notes
from services.offline.phrases import held_s, phrase
from services.offline.progress import list_written, with_progress
from services.offline.replay import replay
from services.offline.sound_file import checked_path, writing
from services.synth.patches.library import library
from services.synth.patches.schema import Patch

ROOMS: Final[tuple[str, ...]] = get_args(Room)
_MAX_SEED: Final = 2**32 - 1
_LONGEST_NOTE_S: Final = 120.0
_MOST_NOTES: Final = 1000
# A channel's first chunk fades in: the first note begins after it.
_LEAD_S: Final = 1 / CHUNKS_PER_SECOND
# An audition ends once the output has been this quiet for a second, or after the longest tail.
_QUIET: Final = 8  # of 32 768: -72 dB
_QUIET_CHUNKS: Final = 10
_LONGEST_TAIL_S: Final = 40.0
_ONLY_ENTRY: Final = EntryId(1, 0)
# The two layers of the desk that play at the loudness for which patches are calibrated; the second one has
# echoes.
_PLAIN: Final[Layer] = "pad"
_ECHOING: Final[Layer] = "melody"
_WITH_ECHOES: Final = {"keys", "bells", "lead"}


@dataclass(frozen=True, slots=True)
class Audition:
    """A validated request for an audition.

    ``notes`` as in :mod:`services.offline.notes`, None for the phrase of the patch's family; ``note_s`` is
    how long each is held, None for a duration that suits the patch.

    Raises:
        InvalidValue: naming the first value that is not allowed.
    """

    patch: str
    output: Path
    audio: AudioFormat
    notes: str | None = None
    note_s: float | None = None
    velocity: float = 0.6
    room: str = "hall"
    seed: int = 0
    controls: Controls = field(default_factory=Controls)

    def __post_init__(self) -> None:
        if self.patch not in library():
            raise InvalidValue("patch", self.patch, f"one of {', '.join(library())}")
        if not 0 < self.velocity <= 1:
            raise InvalidValue("velocity", self.velocity, "more than 0, at most 1")
        if self.note_s is not None and not 0 < self.note_s <= _LONGEST_NOTE_S:
            raise InvalidValue("note-seconds", self.note_s, f"more than 0, at most {_LONGEST_NOTE_S:g}")
        if self.room not in ROOMS:
            raise InvalidValue("room", self.room, f"one of {', '.join(ROOMS)}")
        if not 0 <= self.seed <= _MAX_SEED:
            raise InvalidValue("seed", self.seed, f"0 to {_MAX_SEED}")
        if len(self.chords) > _MOST_NOTES:
            raise InvalidValue("notes", f"{len(self.chords)} notes", f"at most {_MOST_NOTES}")
        checked_path(self.output)

    @property
    def chords(self) -> tuple[Chord, ...]:
        """The chords to play, in order, as MIDI pitches."""
        return phrase(self._patch) if self.notes is None else parse_notes(self.notes)

    @property
    def held_s(self) -> float:
        """How long each chord is held, which is also when the next one begins."""
        return held_s(self._patch) if self.note_s is None else self.note_s

    @property
    def layer(self) -> Layer:
        """The layer of the desk that plays it."""
        return _ECHOING if self._patch.family in _WITH_ECHOES else _PLAIN

    @property
    def ends_s(self) -> float:
        """Seconds from the first onset until the last chord and the slowest noise's rise are over."""
        swelling = [noise.delay_s + noise.attack_s for noise in self._patch.noises]
        return self.held_s * len(self.chords) + max(swelling, default=0.0)

    @property
    def _patch(self) -> Patch:
        return library()[self.patch]


def main(audition: Audition) -> int:
    """Render and write; return the exit code."""
    total = audition.audio.seq_at(audition.audio.frames(audition.ends_s + _LONGEST_TAIL_S))
    with Interruption() as interruption:
        with writing(audition.output, audition.audio) as file:
            for pcm in with_progress(rendered(audition), total):
                file.write(pcm)
                interruption.check()
        list_written([audition.output])
    return 0


def rendered(audition: Audition) -> Iterator[bytes]:
    """The PCM of each chunk until everything has died away."""
    audio = audition.audio
    first = audio.seq_at(audio.frames(_LEAD_S))
    ends = audio.seq_at(audio.frames(_LEAD_S + audition.ends_s))
    quiet = 0
    for seq, pcm in enumerate(replay(score_of(audition), audition.seed, audio, count(first)), first):
        yield pcm
        loud = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max() > _QUIET
        quiet = 0 if loud or seq < ends else quiet + 1
        if quiet == _QUIET_CHUNKS or audio.start_frame(seq) > audio.frames(
            _LEAD_S + audition.ends_s + _LONGEST_TAIL_S
        ):
            return


def score_of(audition: Audition) -> Score:
    """The audition as a score; the first note begins with the second chunk."""
    controls, end = audition.controls, audition.audio.frames(_LEAD_S + audition.ends_s)
    events: list[Event] = [
        Tempo(0, controls.bpm),
        Space(0, cast("Room", audition.room)),
        Automation(0, "intensity", 0, controls.intensity),
        Automation(0, "brightness", 0, controls.brightness),
        *_notes(audition),
    ]
    score = Score()
    score.apply(_ONLY_ENTRY, Batch(0, 0, end, tuple(events)))
    return score


def _notes(audition: Audition) -> Iterator[Note]:
    audio = audition.audio
    placed = [
        (_LEAD_S + index * audition.held_s, pitch)
        for index, chord in enumerate(audition.chords)
        for pitch in chord
    ]
    for number, (at_s, pitch) in enumerate(placed, 1):
        yield Note(
            at_frame=audio.frames(at_s),
            id=number,
            duration_frames=max(1, audio.frames(audition.held_s)),
            pitch=pitch,
            velocity=audition.velocity,
            patch=audition.patch,
            layer=audition.layer,
        )
