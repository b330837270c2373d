"""Files that appear whole or not at all: written next to their destinations and moved when all are done."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from auralis.errors import AuralisError, InvalidValue

_WRITABLE: Final = "a file in a folder that exists and can be written to"
_LONGEST_NAME: Final = 200  # of a draft; file systems allow 255 bytes


def checked_file(field: str, path: Path) -> Path:
    """Return ``path`` if a file can be written there.

    Raises:
        InvalidValue: of ``field``: it is a folder, or its own folder does not exist or can't be written to.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise InvalidValue(field, str(path), _WRITABLE)
    return path


@contextmanager
def drafted(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """An empty draft for each of ``paths``: moved there after the block, or removed if the block fails.

    Raises:
        InvalidValue: a file can't be made in one of the folders.
        AuralisError: the disk is full or a folder is gone.
    """
    with ExitStack() as remains:
        drafts = [remains.enter_context(_draft(path)) for path in paths]
        yield drafts
        try:
            for draft in drafts:
                draft.chmod(0o644)
            for draft, path in zip(drafts, paths, strict=True):
                draft.replace(path)
        except OSError as error:
            raise AuralisError(f"can't write {', '.join(map(str, paths))}: {error}") from error


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """An empty file next to ``path``, removed after the block unless it was moved away."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:_LONGEST_NAME]}.", dir=path.parent)
    except OSError as error:
        raise InvalidValue("output", str(path), f"{_WRITABLE} ({error.strerror})") from error
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
