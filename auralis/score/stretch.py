"""The events of one stretch of a score, to be exported or displayed."""

from dataclasses import dataclass

import msgspec

from auralis.audio import AudioFormat
from auralis.score.events import Chord, Note, Section, Tempo
from auralis.score.score import ScoreView
from auralis.score.tonality import KeyMark, keys_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """The score of ``[start_frame, end_frame)``, in absolute frames.

    ``notes`` are cut to the stretch: one that already sounds begins with it, one that continues ends with it.
    Marks may begin before it: those in force at its start come first. What the composer repeats every minute,
    for readers that join, appears once.
    """

    audio: AudioFormat
    start_frame: int
    end_frame: int
    notes: tuple[Note, ...]
    chords: tuple[Chord, ...]
    tempi: tuple[Tempo, ...]
    sections: tuple[Section, ...]
    keys: tuple[KeyMark, ...]

    @property
    def seconds(self) -> float:
        """The duration of the stretch."""
        return self.audio.seconds(self.end_frame - self.start_frame)

    def second(self, frame: int) -> float:
        """The time of ``frame`` in seconds from the start; 0 before it."""
        return self.audio.seconds(max(0, frame - self.start_frame))


def stretch_of(view: ScoreView, audio: AudioFormat, start_frame: int, end_frame: int) -> Stretch:
    """The stretch ``[start_frame, end_frame)`` of a score."""
    chords = _once(view.marks(Chord, start_frame, end_frame))
    later = view.marks(Chord, start_frame, max(end_frame, view.score.until_frame))
    return Stretch(
        audio,
        start_frame,
        end_frame,
        tuple(_cut(note, start_frame, end_frame) for note in view.notes(start_frame, end_frame)),
        chords,
        tuple(view.marks(Tempo, start_frame, end_frame)),
        _sections(view.marks(Section, start_frame, end_frame)),
        tuple(keys_of(later, end_frame)),
    )


def _cut(note: Note, start_frame: int, end_frame: int) -> Note:
    start, end = max(note.at_frame, start_frame), min(note.release_frame, end_frame)
    if (start, end) == (note.at_frame, note.release_frame):
        return note
    return msgspec.structs.replace(note, at_frame=start, duration_frames=end - start)


def _once(chords: list[Chord]) -> tuple[Chord, ...]:
    """Drop chords that only repeat the one before, which then lasts until the last repetition ends."""
    kept: list[Chord] = []
    for chord in chords:
        if kept and _same(kept[-1], chord):
            end = chord.at_frame + chord.duration_frames
            kept[-1] = msgspec.structs.replace(kept[-1], duration_frames=end - kept[-1].at_frame)
        else:
            kept.append(chord)
    return tuple(kept)


def _same(one: Chord, other: Chord) -> bool:
    place = {"at_frame": 0, "duration_frames": 1}
    return msgspec.structs.replace(one, **place) == msgspec.structs.replace(other, **place)


def _sections(sections: list[Section]) -> tuple[Section, ...]:
    kept: list[Section] = []
    for section in sections:
        if not kept or kept[-1].name != section.name:
            kept.append(section)
    return tuple(kept)
