"""Stems: the layers of a piece as files of their own, each with its echoes and its room.

A stem is the piece with only that layer's notes. It goes through the same master as the mix, so stems add up
to the mix as far as the master is linear: but for dither, the saturation's faint third harmonic and what the
limiter took away.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auralis.errors import InvalidValue
from services.offline.piece import LAYERS
from services.offline.sound_file import checked_folder


def checked_stems(folder: Path, output: Path) -> Path:
    """``folder`` if the stems of ``output`` can be written there.

    Raises:
        InvalidValue: it is no folder that can be written to, or the piece itself would be one of the files.
    """
    checked_folder(folder)
    if output.absolute() in {stem_path(folder, layer, output).absolute() for layer in LAYERS}:
        raise InvalidValue("output", str(output), "another name: this is that of a stem")
    return folder


def stem_path(folder: Path, layer: str, output: Path) -> Path:
    """Where the stem of ``layer`` lies: named after it, in the format of ``output``."""
    return folder / f"{layer}{output.suffix}"


@contextmanager
def made(folder: Path | None) -> Iterator[None]:
    """``folder``, made if it is not there; gone again if it was made and the block fails."""
    new = folder is not None and not folder.exists()
    if folder is not None:
        folder.mkdir(exist_ok=True)
    try:
        yield
    except BaseException:
        if folder is not None and new:
            with suppress(OSError):
                folder.rmdir()
        raise
