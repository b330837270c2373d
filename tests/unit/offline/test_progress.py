"""What a rendering reports."""

import os
from pathlib import Path

import pytest

from services.offline.progress import list_written


def test_the_files_are_listed_one_a_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Even those whose names are not valid text."""
    list_written([Path("stems/pad.wav"), Path(os.fsdecode(b"\xff.wav"))])
    assert capsysbinary.readouterr() == (b"stems/pad.wav\n\xff.wav\n", b"")
