"""``auralis patches``: the patches that can be auditioned."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console

from services.synth.patches.library import library

_STEPS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def main() -> int:
    """Print one line per patch; return the exit code."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in lines():
        console.print(line)
    return 0


def lines() -> Iterator[str]:
    """Name, family, range and description of each patch, in columns."""
    patches = library()
    width = max(map(len, patches))
    for name, patch in patches.items():
        span = f"{note_name(patch.low)} to {note_name(patch.high)}"
        yield f"{name:{width}}  {patch.family:10}  {span:10}  {patch.description}"


def note_name(pitch: int) -> str:
    """The name of a MIDI note as ``--notes`` takes it: ``C4`` is 60."""
    return f"{_STEPS[pitch % 12]}{pitch // 12 - 1}"
