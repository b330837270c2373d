"""Stems: the layers of a piece as separate files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import AuralisError, InvalidValue
from services.offline.__main__ import RenderRequest, main
from services.offline.piece import composed, layers_of
from services.offline.work import Work, render_in_process

AUDIO = AudioFormat()
PIECE = composed(3, Controls(), 30.0, AUDIO)


def test_stems_add_up_to_the_mix() -> None:
    """Except for dither and the master: the difference is 30 dB below the mix."""
    chunks = list(render_in_process(Work(PIECE, 3, AUDIO, layers_of(PIECE)), range(60, 75)))
    mix, *stems = (np.frombuffer(b"".join(part), "<i2").astype(float) for part in zip(*chunks, strict=True))
    assert len(stems) == len(layers_of(PIECE)) > 1
    assert np.sqrt(np.mean((mix - sum(stems)) ** 2)) < 10 ** (-30 / 20) * np.sqrt(np.mean(mix**2))


def test_the_piece_is_the_same_with_stems(tmp_path: Path) -> None:
    """Each layer has a file, named after it, of the piece's length and format; nothing else is left."""
    alone, beside = tmp_path / "alone.wav", tmp_path / "beside.wav"
    main(RenderRequest(3, 0.05, Controls(), alone, AUDIO))
    main(RenderRequest(3, 0.05, Controls(), beside, AUDIO, tmp_path / "stems"))
    assert alone.read_bytes() == beside.read_bytes()
    layers = layers_of(composed(3, Controls(), 3.0, AUDIO))
    files = {path.name: soundfile.info(path) for path in (tmp_path / "stems").iterdir()}
    assert sorted(files) == sorted(f"{layer}.wav" for layer in layers)
    whole = soundfile.info(alone)
    assert {(f.frames, f.samplerate, f.channels, f.format) for f in files.values()} == {
        (whole.frames, whole.samplerate, whole.channels, whole.format)
    }


def test_an_interruption_leaves_neither_piece_nor_stems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a folder that was not there before."""

    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("services.offline.__main__.rendered", interrupted)
    for folder in ("new", "old"):
        (tmp_path / "old").mkdir(exist_ok=True)
        with pytest.raises(KeyboardInterrupt):
            main(RenderRequest(3, 0.05, Controls(), tmp_path / "x.flac", AUDIO, tmp_path / folder))
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_a_failure_at_the_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one file can't be finished, none of the others is there either, and one line says so."""

    def full(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.offline.drafts.Path.chmod", full)
    with pytest.raises(AuralisError, match="No space left on device"):
        main(RenderRequest(3, 0.02, Controls(), tmp_path / "x.wav", AUDIO, tmp_path / "stems"))
    assert not list(tmp_path.iterdir())


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    """A file, a folder whose parent is missing, and the folder in which the piece would clash with a stem."""
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "missing" / "stems"):
        with pytest.raises(InvalidValue, match=f"stems: found .*{folder.name}"):
            RenderRequest(3, 1.0, Controls(), tmp_path / "x.wav", AUDIO, folder)
    with pytest.raises(InvalidValue, match=r"output: found .*pad\.wav'"):
        RenderRequest(3, 1.0, Controls(), tmp_path / "pad.wav", AUDIO, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
