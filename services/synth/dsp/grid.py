"""Grids and blocks: the rate at which a partial is rendered, and how its chunk is cut.

A partial lives on one of three grids, by its frequency. The *full* grid has the sample rate. Most partials
are low: the *middle* grid has half the sample rate and the *coarse* one a fifth. Their sums are brought to
the full rate by :mod:`services.synth.dsp.upsampling`, for which they reach some samples beyond the chunk on
either side.

*Lively* partials rise, fall or bend: on each grid a chunk is cut into blocks, and their levels and phases are
computed at the blocks' borders, 1.5 ms apart on the full grid and about 5 ms on the others; a struck or
sliding note has all of them on the full grid at first. All others are *steady* and share one spectrum.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp.arrays import Float64Array

# Partials up to these shares of the sample rate live on the coarse and the middle grid: so far under half
# the grid's own rate that a short upsampling filter is enough.
COARSE_BELOW: Final = 0.0735
MIDDLE_BELOW: Final = 0.18
# Samples that the upsampling filter reads on either side of the chunk.
SUPPORT: Final = 12
# (blocks, samples per block), by divisor and the chunk's frames: their product is the chunk's length on the
# grid plus at least the filter's support on either side. The middle and the coarse grid share their borders.
_BLOCKS: Final = {
    (1, 4410): (63, 70), (2, 4410): (23, 105), (5, 4410): (23, 42),
    (1, 4800): (75, 64), (2, 4800): (25, 100), (5, 4800): (25, 40),
}  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """A chunk of ``audio`` at its sample rate divided by ``divisor``.

    Partials from ``low`` up to ``high`` (shares of the sample rate) live here.
    """

    audio: AudioFormat
    divisor: int
    low: float
    high: float

    @property
    def rate_hz(self) -> float:
        """Samples per second on this grid."""
        return self.audio.sample_rate_hz / self.divisor

    @cached_property
    def samples(self) -> int:
        """Samples per chunk."""
        return self.audio.frames_per_chunk // self.divisor

    @property
    def around(self) -> int:
        """Samples on either side of the chunk that upsampling needs as well."""
        return SUPPORT if self.divisor > 1 else 0

    @cached_property
    def blocks(self) -> "Blocks":
        """The blocks that a chunk is cut into."""
        return Blocks(self, *_BLOCKS[self.divisor, self.audio.frames_per_chunk])

    def holds(self, freq_hz: Float64Array) -> NDArray[np.bool_]:
        """Which partials live here."""
        share = freq_hz / self.audio.sample_rate_hz
        return np.asarray((share >= self.low) & (share < self.high))


@dataclass(frozen=True)
class Blocks:
    """A chunk on ``grid`` as ``count`` blocks of ``size`` samples that may reach beyond it on either side."""

    grid: Grid
    count: int
    size: int

    @cached_property
    def reach(self) -> int:
        """How many samples the blocks reach before the chunk, and after it."""
        return (self.count * self.size - self.grid.samples) // 2

    @cached_property
    def frames(self) -> NDArray[np.int64]:
        """The borders, in frames from the chunk's start: ``[border]``."""
        samples = np.arange(self.count + 1) * self.size - self.reach
        return samples * self.grid.divisor


@cache
def grids(audio: AudioFormat) -> tuple[Grid, ...]:
    """All three grids, the finest first."""
    return full(audio), middle(audio), coarse(audio)


# The places where a partial can be: lively on one of the grids, or steady.
LIVELY: Final = 3
STEADY: Final = LIVELY
PLACES: Final = LIVELY + 1


@cache
def strips(audio: AudioFormat) -> tuple[slice, ...]:
    """Slices of :func:`grids`, each with the grids that have the same borders."""
    borders = [on.blocks.frames.tolist() for on in grids(audio)]
    firsts = [place for place in range(LIVELY) if place == 0 or borders[place] != borders[place - 1]]
    return tuple(map(slice, firsts, [*firsts[1:], LIVELY]))


@cache
def full(audio: AudioFormat) -> Grid:
    """The grid of the highest partials, and of struck or sliding notes that have just begun."""
    return Grid(audio, 1, low=MIDDLE_BELOW, high=np.inf)


@cache
def middle(audio: AudioFormat) -> Grid:
    """The grid of high partials."""
    return Grid(audio, 2, low=COARSE_BELOW, high=MIDDLE_BELOW)


@cache
def coarse(audio: AudioFormat) -> Grid:
    """The grid of most partials."""
    return Grid(audio, 5, low=0.0, high=COARSE_BELOW)
