"""Sound files that appear whole or not at all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from auralis.errors import AuralisError, InvalidValue
from services.offline.drafts import checked_file, drafted
from services.offline.ogg import with_serial

# Extension → libsndfile's format and encoding.
FORMATS: Final = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
# libsndfile derives an Ogg stream's serial from the time; the same arguments must give the same bytes.
_OGG_SERIAL: Final = 1


class SoundFile:
    """A sound file that takes chunks of PCM."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file

    def write(self, pcm: bytes) -> None:
        """Append interleaved 16-bit little-endian stereo."""
        samples = np.frombuffer(pcm, "<i2").reshape(-1, AUDIO_CHANNELS)
        # From integers libsndfile 1.2.2 makes MP3 full of clicks, different ones in each process.
        self._file.write(samples / np.float32(32_768) if self._file.format == "MP3" else samples)


def checked_path(path: Path) -> Path:
    """Return ``path`` if a sound file can be written there.

    Raises:
        InvalidValue: the extension is not one of :data:`FORMATS`, or the file can't be written there.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidValue("output", str(path), f"a name that ends in {', '.join(FORMATS)}")
    return checked_file("output", path)


def checked_folder(path: Path) -> Path:
    """Return ``path`` if it is a folder for sound files, or can become one.

    Raises:
        InvalidValue: it is not a writable folder, and none can be created there.
    """
    writable = path if path.exists() else path.absolute().parent
    if not writable.is_dir() or not os.access(writable, os.W_OK):
        raise InvalidValue(
            "stems", str(path), "a folder that can be written to, or a new one in such a folder"
        )
    return path


@contextmanager
def writing(path: Path, audio: AudioFormat) -> Iterator[SoundFile]:
    """Write next to ``path`` and move the file there when it is complete; an error leaves nothing behind.

    Raises:
        InvalidValue: no sound file can be written there.
        AuralisError: the disk is full or the folder is gone.
    """
    with drafted([checked_path(path)]) as drafts, opened(drafts, [path], audio) as (file,):
        yield file


@contextmanager
def opened(drafts: Sequence[Path], paths: Sequence[Path], audio: AudioFormat) -> Iterator[list[SoundFile]]:
    """Sound files at ``drafts``, in the formats that ``paths`` name; finished after the block.

    Raises:
        AuralisError: the disk is full or a folder is gone.
    """
    try:
        with ExitStack() as files:
            pairs = zip(drafts, paths, strict=True)
            yield [SoundFile(files.enter_context(_opened(*pair, audio))) for pair in pairs]
        for draft, path in zip(drafts, paths, strict=True):
            if _kind(path)[0] == "OGG":
                with_serial(draft, _OGG_SERIAL)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AuralisError(f"can't write {', '.join(map(str, paths))}: {error}") from error


def _opened(draft: Path, path: Path, audio: AudioFormat) -> soundfile.SoundFile:
    kind, encoding = _kind(path)
    return soundfile.SoundFile(draft, "w", audio.sample_rate_hz, AUDIO_CHANNELS, encoding, format=kind)


def _kind(path: Path) -> tuple[str, str]:
    return FORMATS[path.suffix.lower()]
