"""A chunk as sub-blocks: amplitudes are evaluated at their borders and interpolated in between.

Partials live on one of two grids. The *full* one has the sample rate and borders every 1.5 ms. Most partials
are low and move slowly: the *coarse* one has a fifth of the sample rate and borders every 4.8 ms, and its sum
is brought to the full rate by :mod:`services.synth.dsp.upsampling`, for which it reaches a block beyond the
chunk on either side.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat

DIVISOR: Final = 5
# Partials over this share of the sample rate need the full grid.
COARSE_BELOW: Final = 0.0735
# (blocks, block) near the square root of the chunk's length: the matrix product is cheapest there. Where the
# rate allows it, borders (one more than blocks, with the margins) are even: see
# :data:`services.synth.dsp.additive.ROWS`.
_FULL: Final = {4410: (63, 70), 4800: (75, 64)}
_COARSE: Final = {4410: (21, 42), 4800: (20, 48)}


@dataclass(frozen=True)
class Grid:
    """``blocks`` sub-blocks of ``block`` samples make a chunk of ``audio`` at its rate over ``divisor``.

    ``margin`` blocks more are evaluated on either side.
    """

    audio: AudioFormat
    divisor: int
    blocks: int
    block: int
    margin: int

    @property
    def rate_hz(self) -> float:
        """Samples a second on this grid."""
        return self.audio.sample_rate_hz / self.divisor

    @property
    def all_blocks(self) -> int:
        """Sub-blocks with those of the margins."""
        return self.blocks + 2 * self.margin

    @cached_property
    def border_frames(self) -> NDArray[np.int64]:
        """Frames of all borders, margins included, from the chunk's start: ``[all_blocks + 1]``."""
        return np.arange(-self.margin, self.blocks + self.margin + 1) * self.block * self.divisor


def full(audio: AudioFormat) -> Grid:
    """The grid of high or fast partials."""
    return Grid(audio, 1, *_FULL[audio.frames_per_chunk], margin=0)


def coarse(audio: AudioFormat) -> Grid:
    """The grid of all others."""
    return Grid(audio, DIVISOR, *_COARSE[audio.frames_per_chunk], margin=1)
