"""A chunk as sub-blocks: amplitudes are evaluated at their borders and interpolated in between.

A partial lives on one of three grids, by its frequency. The *full* one has the sample rate and borders every
1.5 ms. Most partials are low, and few move fast: the *middle* grid has half of the sample rate and the
*coarse* one a fifth, with borders every 5 ms or so. Their sums are brought to the full rate by
:mod:`services.synth.dsp.upsampling`, for which they reach a block beyond the chunk on either side.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat

# Partials up to these shares of the sample rate live on the coarse and the middle grid: so far under half of
# the grid's own rate that the upsampling filter is short.
COARSE_BELOW: Final = 0.0735
MIDDLE_BELOW: Final = 0.16
# (blocks, block): their product is the chunk's length. Near its square root the matrix product is cheapest.
_FULL: Final = {4410: (63, 70), 4800: (75, 64)}
_MIDDLE: Final = {4410: (21, 105), 4800: (25, 96)}
_COARSE: Final = {4410: (21, 42), 4800: (20, 48)}


@dataclass(frozen=True)
class Grid:
    """``blocks`` sub-blocks of ``block`` samples make a chunk of ``audio`` at its rate over ``divisor``.

    ``margin`` blocks more are evaluated on either side. Partials from ``low`` up to ``high`` (shares of the
    sample rate) live here.
    """

    audio: AudioFormat
    divisor: int
    blocks: int
    block: int
    margin: int
    low: float
    high: float

    @property
    def rate_hz(self) -> float:
        """Samples a second on this grid."""
        return self.audio.sample_rate_hz / self.divisor

    @property
    def samples(self) -> int:
        """Samples of a chunk, without margins."""
        return self.blocks * self.block

    @property
    def all_blocks(self) -> int:
        """Sub-blocks with those of the margins."""
        return self.blocks + 2 * self.margin

    @cached_property
    def border_frames(self) -> NDArray[np.int64]:
        """Frames of all borders, margins included, from the chunk's start: ``[all_blocks + 1]``."""
        return np.arange(-self.margin, self.blocks + self.margin + 1) * self.block * self.divisor

    def holds(self, freq_hz: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which partials live here."""
        share = freq_hz / self.audio.sample_rate_hz
        return np.asarray((share >= self.low) & (share < self.high))


@cache
def grids(audio: AudioFormat) -> tuple[Grid, ...]:
    """All three, the finest first."""
    return full(audio), middle(audio), coarse(audio)


@cache
def full(audio: AudioFormat) -> Grid:
    """The grid of the highest partials, and of all that move fast."""
    return Grid(audio, 1, *_FULL[audio.frames_per_chunk], margin=0, low=MIDDLE_BELOW, high=np.inf)


@cache
def middle(audio: AudioFormat) -> Grid:
    """The grid of high partials."""
    blocks = _MIDDLE[audio.frames_per_chunk]
    return Grid(audio, 2, *blocks, margin=1, low=COARSE_BELOW, high=MIDDLE_BELOW)


@cache
def coarse(audio: AudioFormat) -> Grid:
    """The grid of most partials."""
    return Grid(audio, 5, *_COARSE[audio.frames_per_chunk], margin=1, low=0.0, high=COARSE_BELOW)
