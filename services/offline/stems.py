"""Stems: each layer of a piece in a file of its own, with its echoes and its room.

A stem is the piece with only that layer's notes. It goes through the same master as the mix, so stems add up
to the mix as far as the master is linear: apart from dither, the saturation's faint third harmonic and the
limiter's gain reduction.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auralis.errors import InvalidValue
from services.offline.piece import LAYERS
from services.offline.sound_file import checked_folder


def checked_stems(folder: Path, output: Path) -> Path:
    """Return ``folder`` if the stems of ``output`` can be written there.

    Raises:
        InvalidValue: it is not a writable folder, or ``output`` would be that folder or one of the stems.
    """
    checked_folder(folder)
    if output.absolute() == folder.absolute():
        raise InvalidValue("stems", str(folder), "a folder with another name than the output")
    if output.absolute() in {stem_path(folder, layer, output).absolute() for layer in LAYERS}:
        raise InvalidValue("output", str(output), "another name: this is that of a stem")
    return folder


def stem_path(folder: Path, layer: str, output: Path) -> Path:
    """The path of the stem of ``layer``: named after the layer, in the format of ``output``."""
    return folder / f"{layer}{output.suffix}"


@contextmanager
def created_folder(folder: Path | None) -> Iterator[None]:
    """Create ``folder`` if it does not exist; remove it again if it was created and the block fails."""
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
