"""Sound files that are either complete or not there at all."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralis.audio import AudioFormat
from auralis.errors import InvalidValue
from services.offline.sound_file import FORMATS, writing

AUDIO = AudioFormat()
PCM = (np.sin(np.arange(44_100) * 0.03)[:, None] * [8000, 8000]).astype("<i2").tobytes()


@pytest.mark.parametrize("extension", sorted(FORMATS))
def test_what_is_written_can_be_read(tmp_path: Path, extension: str) -> None:
    """One second in every format, read by another library: rate, channels and level, without clicks."""
    path = tmp_path / f"piece{extension}"
    with writing(path, AUDIO) as file:
        file.write(PCM)
    samples, rate = soundfile.read(path)
    assert rate == 44_100
    assert samples.shape[1] == 2
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.05)
    assert np.abs(samples).max() == pytest.approx(8000 / 32768, rel=0.05)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("extension", [".wav", ".flac"])
def test_lossless_files_hold_the_same_samples(tmp_path: Path, extension: str) -> None:
    """The same PCM goes in and comes out."""
    path = tmp_path / f"piece{extension}"
    with writing(path, AUDIO) as file:
        file.write(PCM)
    assert soundfile.read(path, dtype="int16")[0].astype("<i2").tobytes() == PCM


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: no file, no leftovers; a file that was there before is untouched."""
    path = tmp_path / "piece.wav"
    path.write_bytes(b"older")
    with pytest.raises(KeyboardInterrupt), writing(path, AUDIO) as file:  # noqa: PT012  the block's end is meant
        file.write(PCM)
        raise KeyboardInterrupt
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["piece.txt", "piece", "missing/piece.wav"])
def test_a_path_that_can_not_be_written_is_named(tmp_path: Path, name: str) -> None:
    """One line: what was found, what is allowed; nothing is written."""
    with pytest.raises(InvalidValue, match=r"output: found .*allowed"), writing(tmp_path / name, AUDIO):
        pass
    assert not list(tmp_path.iterdir())
