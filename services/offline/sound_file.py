"""Sound files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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


def checked_folder(path: Path) -> Path:
    """``path`` if it is a folder for sound files, or can become one.

    Raises:
        InvalidValue: it is a file, or what it lies in is no folder that can be written to.
    """
    writable = path if path.exists() else path.absolute().parent
    if not writable.is_dir() or not os.access(writable, os.W_OK):
        raise InvalidValue(
            "stems", str(path), "a folder that can be written to, or a new one in such a folder"
        )
    return path


@contextmanager
def writing(path: Path, audio: AudioFormat) -> Iterator[SoundFile]:
    """Write beside ``path`` and move it there when all is written; whatever goes wrong leaves nothing.

    Raises:
        AuralisError: the disk is full or the folder is gone.
    """
    with writing_all([path], audio) as (file,):
        yield file


@contextmanager
def writing_all(paths: Sequence[Path], audio: AudioFormat) -> Iterator[list[SoundFile]]:
    """Write several files as :func:`writing` writes one: none of them is there before all are written.

    Raises:
        AuralisError: the disk is full or a folder is gone.
    """
    with ExitStack() as remains:
        try:
            drafts = [remains.enter_context(_draft(checked_path(path))) for path in paths]
            with ExitStack() as opened:
                files = [
                    opened.enter_context(_opened(*pair, audio)) for pair in zip(drafts, paths, strict=True)
                ]
                yield [SoundFile(file) for file in files]
            for draft, path in zip(drafts, paths, strict=True):
                draft.chmod(0o644)
                draft.replace(path)
        except (OSError, soundfile.LibsndfileError) as error:
            raise AuralisError(f"can't write {', '.join(map(str, paths))}: {error}") from error


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """An empty file beside ``path`` that does not outlive the block, unless it is moved away."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _opened(draft: Path, path: Path, audio: AudioFormat) -> soundfile.SoundFile:
    kind, encoding = FORMATS[path.suffix.lower()]
    return soundfile.SoundFile(draft, "w", audio.sample_rate_hz, AUDIO_CHANNELS, encoding, format=kind)
