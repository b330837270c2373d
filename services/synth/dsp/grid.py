"""A chunk as ``blocks`` sub-blocks of ``block`` frames: the grid on which amplitudes are evaluated."""

from dataclasses import dataclass
from typing import Final

from auralis.audio import AudioFormat

# Factors of the chunk's length near its square root: the matrix product is cheapest there.
_FACTORS: Final = {4410: (70, 63), 4800: (75, 64)}


@dataclass(frozen=True, slots=True)
class Grid:
    """``blocks * block`` frames make a chunk of ``audio``; amplitudes stand at the ``blocks + 1`` borders."""

    audio: AudioFormat

    @property
    def blocks(self) -> int:
        """Sub-blocks in a chunk."""
        return _FACTORS[self.audio.frames_per_chunk][0]

    @property
    def block(self) -> int:
        """Frames in a sub-block: about 1.4 ms."""
        return _FACTORS[self.audio.frames_per_chunk][1]
