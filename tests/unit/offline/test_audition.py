"""Auditioning a single patch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from auralis.audio import AudioFormat
from auralis.errors import InvalidValue
from auralis.score.events import Note
from services.offline.audition import Audition, main, rendered, score_of
from services.synth.patches.library import library

AUDIO = AudioFormat()
OUT = Path("x.wav")


def notes_of(audition: Audition) -> list[Note]:
    return score_of(audition).view().notes(0, AUDIO.frames(1000))


def audition(patch: str = "felt_piano", **wanted: Any) -> Audition:
    return Audition(patch, OUT, AUDIO, **wanted)


def test_notes_follow_each_other_and_chords_sound_together() -> None:
    """Each note is held until the next one begins."""
    played = notes_of(audition(notes="C4 E4+G4", note_s=0.5, velocity=0.3))
    first = played[0].at_frame
    assert [((n.at_frame - first) / 44_100, n.pitch) for n in played] == [(0, 60), (0.5, 64), (0.5, 67)]
    assert {(n.duration_frames, n.velocity, n.patch) for n in played} == {(22_050, 0.3, "felt_piano")}


@pytest.mark.parametrize("name", sorted(library()))
def test_every_patch_has_a_phrase_within_its_range(name: str) -> None:
    """Held long enough for it to swell."""
    patch, asked = library()[name], audition(name)
    assert notes_of(asked)
    assert all(patch.low <= note.pitch <= patch.high for note in notes_of(asked))
    assert asked.held_s > patch.envelope.attack_s


@pytest.mark.parametrize("name", ["felt_piano", "soft_kick"])
def test_it_is_written_until_it_has_died_away(tmp_path: Path, name: str) -> None:
    """It begins within the first chunk and ends with a second of silence, not many."""
    path = tmp_path / "x.wav"
    assert main(Audition(name, path, AUDIO, notes="C4", note_s=0.3)) == 0
    samples, _ = soundfile.read(path)
    loud = np.flatnonzero(np.abs(samples).max(axis=1) > 0.01)
    assert loud[0] < 4410
    assert loud[-1] > 4410
    assert np.abs(samples[-44_100:]).max() < 3e-4
    assert len(samples) < 15 * 44_100


def test_a_swell_is_waited_for() -> None:
    """Sound that rises for seconds after its gate has closed is included."""
    pcm = b"".join(rendered(audition("swell", notes="C4", note_s=0.1)))
    swelling = max(n.attack_s + n.delay_s for n in library()["swell"].noises)
    assert len(pcm) / AUDIO.bytes_per_chunk / 10 > swelling


def test_the_same_audition_gives_the_same_bytes_and_another_seed_others() -> None:
    """Random numbers are seeded."""
    first, again, other = (b"".join(rendered(audition(notes="C5", note_s=0.1, seed=s))) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_rooms_differ_from_the_first_chunk_on() -> None:
    """The room is already set before the first note."""
    rooms = ("hall", "cathedral", "plate", "room")
    early = {room: [] for room in rooms}
    for room in rooms:
        chunks = rendered(audition(notes="C5", note_s=0.1, room=room))
        early[room] = [next(chunks) for _ in range(6)]
    tails = [b"".join(early[room][2:]) for room in rooms]
    assert len(set(tails)) == len(rooms)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"patch": "harpsichord"}, "patch: found 'harpsichord', allowed: one of .*felt_piano.*warm_pad"),
        ({"notes": "X4"}, "notes: found 'X4', allowed: names such as C4"),
        ({"notes": "C4 " * 1001}, "notes: found '1001 notes', allowed: at most 1000"),
        ({"velocity": 0.0}, "velocity: found 0.0, allowed: more than 0, at most 1"),
        ({"velocity": 1.5}, "velocity: found 1.5"),
        ({"velocity": float("nan")}, "velocity: found nan"),
        ({"note_s": 0.0}, "note-seconds: found 0.0"),
        ({"note_s": float("inf")}, "note-seconds: found inf"),
        ({"room": "bathroom"}, "room: found 'bathroom', allowed: one of hall, cathedral, plate, room"),
        ({"seed": -1}, "seed: found -1"),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(wanted: dict[str, Any], named: str) -> None:
    """One line, before anything is rendered."""
    with pytest.raises(InvalidValue, match=named):
        audition(**wanted)


def test_a_file_that_can_not_be_written_is_named() -> None:
    """Just as for a piece."""
    with pytest.raises(InvalidValue, match=r"output: found 'x\.txt'"):
        Audition("drone", Path("x.txt"), AUDIO)
