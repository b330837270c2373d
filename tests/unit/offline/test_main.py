"""``auralis render`` as it is called."""

from pathlib import Path

import mido
import msgspec
import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import AuralisError, InvalidValue
from auralis.score.events import Event
from services.offline.__main__ import RenderRequest, main
from services.offline.piece import composed

AUDIO = AudioFormat()


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    """The same arguments twice give the same file twice, with the length that was asked for."""
    paths = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path in paths:
        assert main(RenderRequest(3, 0.05, Controls(), path, AUDIO)) == 0
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) == 44 + 30 * AUDIO.bytes_per_chunk


@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3"])
def test_every_format_has_the_same_bytes_every_time(tmp_path: Path, extension: str) -> None:
    """Even Ogg, whose streams libsndfile numbers by the time of day."""
    paths = [tmp_path / f"one{extension}", tmp_path / f"two{extension}"]
    for path in paths:
        main(RenderRequest(3, 0.02, Controls(), path, AUDIO))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_score_is_written_beside_the_sound(tmp_path: Path) -> None:
    """As MIDI with the piece's length, and as lines that contain the composer's events."""
    sound, midi, lines = (tmp_path / name for name in ("x.wav", "x.mid", "x.jsonl"))
    main(RenderRequest(3, 0.4, Controls(), sound, AUDIO, midi=midi, score=lines))
    assert mido.MidiFile(midi).length == pytest.approx(24, abs=0.001)
    piece = composed(3, Controls(), 24.0, AUDIO)
    read = [msgspec.json.decode(line, type=Event) for line in lines.read_bytes().splitlines()]
    assert sorted(read, key=repr) == sorted(piece.events, key=repr)
    assert [event.at_frame for event in read] == sorted(event.at_frame for event in read)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jsonl", "x.mid", "x.wav"]


@pytest.mark.parametrize(
    ("field", "name", "named"),
    [
        ("midi", "", "midi: found .*allowed: a file in a folder that exists"),
        ("score", "missing/x.jsonl", "score: found .*missing"),
        ("midi", "x.wav", "midi: found .*allowed: a file of its own"),
    ],
)
def test_a_file_beside_the_sound_that_can_not_be_written_is_named(
    tmp_path: Path, field: str, name: str, named: str
) -> None:
    with pytest.raises(InvalidValue, match=named):
        RenderRequest(3, 1.0, Controls(), tmp_path / "x.wav", AUDIO, **{field: tmp_path / name})  # type: ignore[arg-type]


def test_a_stem_is_no_place_for_something_else(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"midi: found .*pad\.wav"):
        RenderRequest(
            3, 1.0, Controls(), tmp_path / "x.wav", AUDIO, stems=tmp_path, midi=tmp_path / "pad.wav"
        )


def test_a_wav_ends_at_four_gigabytes(tmp_path: Path) -> None:
    """The limit is reported before anything is rendered; FLAC may be longer."""
    with pytest.raises(InvalidValue, match=r"minutes: found 500\.0, allowed: at most 405 in a \.wav"):
        RenderRequest(3, 500.0, Controls(), tmp_path / "x.wav", AUDIO)
    RenderRequest(3, 500.0, Controls(), tmp_path / "x.flac", AUDIO)


def test_two_files_of_one_name_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"midi: found .*a file of its own"):
        RenderRequest(
            3, 1.0, Controls(), tmp_path / "x.wav", AUDIO, midi=tmp_path / "a", score=tmp_path / "a"
        )


def test_an_export_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full once all sound has been written: one line, no file."""

    def full(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.offline.exports.Path.write_bytes", full)
    with pytest.raises(AuralisError, match=r"can't write .*x\.mid: No space left on device"):
        main(RenderRequest(3, 0.02, Controls(), tmp_path / "x.wav", AUDIO, midi=tmp_path / "x.mid"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("seed", "minutes", "name"),
    [(-1, 1.0, "seed"), (2**32, 1.0, "seed"), (1, 0.0, "minutes"), (1, 1e6, "minutes")],
)
def test_wrong_values_are_named_before_anything_is_written(
    tmp_path: Path, seed: int, minutes: float, name: str
) -> None:
    """One line with what is allowed."""
    with pytest.raises(InvalidValue, match=f"{name}: found"):
        RenderRequest(seed, minutes, Controls(), tmp_path / "x.wav", AUDIO)
    assert not list(tmp_path.iterdir())
