"""Stretches of a score, as they are exported."""

from auralis.audio import AudioFormat
from auralis.keys import Key
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Chord, Event, Note, Section, Tempo
from auralis.score.score import Score
from auralis.score.stretch import Stretch, stretch_of

AUDIO = AudioFormat()


def cut(start: int, end: int, *events: Event) -> Stretch:
    score = Score()
    score.apply(EntryId(1, 0), Batch(0, 0, 1000, events))
    return stretch_of(score.view(), AUDIO, start, end)


def note(at: int, length: int) -> Note:
    return Note(at, at + 1, length, 60, 0.5, "drone", "drone")


def chord(at: int, length: int, root: int = 9, degree: str = "i") -> Chord:
    return Chord(at, length, root, "m7", degree, (33.0 + root,))


def test_notes_are_cut_to_it() -> None:
    """Notes that have ended or have not begun are left out; the others keep their ids."""
    found = cut(100, 200, note(0, 100), note(50, 100), note(120, 10), note(150, 500), note(200, 10)).notes
    assert [(each.at_frame, each.duration_frames, each.id) for each in found] == [
        (100, 50, 51),
        (120, 10, 121),
        (150, 50, 151),
    ]


def test_what_is_said_again_for_who_joins_is_there_once() -> None:
    """A chord lasts until its last announcement ends; sections and keys too."""
    found = cut(
        0, 900, Section(0, "drift"), chord(0, 800), Section(400, "drift"), chord(400, 400), chord(800, 100, 2)
    )
    assert [(each.at_frame, each.duration_frames, each.root) for each in found.chords] == [
        (0, 800, 9),
        (800, 100, 2),
    ]
    assert found.sections == (Section(0, "drift"),)


def test_what_is_in_force_at_its_start_comes_first() -> None:
    """Marks from before the start keep their own frame."""
    marks = (Section(0, "dawn"), Tempo(10, 72.0), chord(20, 500), Section(600, "drift"))
    found = cut(300, 500, *marks)
    assert (found.sections, found.tempi) == ((Section(0, "dawn"),), (Tempo(10, 72.0),))
    assert [each.at_frame for each in found.chords] == [20]
    assert found.keys == ((20, Key(9, "minor")),)


def test_the_mode_of_its_key_is_told_by_what_comes_later() -> None:
    """IV belongs to both modes, the next chord to only one."""
    found = cut(0, 100, chord(0, 100, 2, "IV"), chord(100, 100, 9, "i"))
    assert found.keys == ((0, Key(9, "minor")),)
    assert len(found.chords) == 1


def test_seconds_count_from_its_start() -> None:
    found = cut(100, 100 + AUDIO.frames(10))
    assert (found.seconds, found.second(100 + AUDIO.frames(4)), found.second(0)) == (10, 4, 0)
