"""Sound files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from auralis.errors import AuralisError, InvalidValue

# Extension → libsndfile's format and encoding.
FORMATS: Final = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}


class SoundFile:
    """Takes chunks of PCM."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file

    def write(self, pcm: bytes) -> None:
        """Append interleaved 16-bit little-endian stereo."""
        samples = np.frombuffer(pcm, "<i2").reshape(-1, AUDIO_CHANNELS)
        # From integers libsndfile 1.2.2 makes MP3 full of clicks, other ones in each process.
        self._file.write(samples / np.float32(32_768) if self._file.format == "MP3" else samples)


def checked_path(path: Path) -> Path:
    """``path`` if a sound file can be written there.

    Raises:
        InvalidValue: the extension is none of :data:`FORMATS`, or the folder can't be written to.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidValue("output", str(path), f"a name that ends in {', '.join(FORMATS)}")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidValue("output", str(path), "a file in a folder that exists and can be written to")
    return path


@contextmanager
def writing(path: Path, audio: AudioFormat) -> Iterator[SoundFile]:
    """Write beside ``path`` and move it there when all is written; whatever goes wrong leaves nothing.

    Raises:
        AuralisError: the disk is full or the folder is gone.
    """
    kind, encoding = FORMATS[checked_path(path).suffix.lower()]
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        with soundfile.SoundFile(
            name, "w", audio.sample_rate_hz, AUDIO_CHANNELS, encoding, format=kind
        ) as file:
            yield SoundFile(file)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AuralisError(f"can't write {path}: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
