"""From a coarser grid's rate to the full one: a windowed-sinc interpolator as a matrix product.

A Kaiser window (Kaiser 1974) puts images 95 dB down; the passband is flat up to the grid's highest
partial. The filter is symmetric and adds no latency: the samples around a chunk are computed, not waited for.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array, Home
from services.synth.dsp.grid import SUPPORT, Grid

_KAISER_BETA: Final = 9.6
# Samples per block, by a chunk's length on its grid: with few, a row is mostly the support around them; with
# many, the matrix is mostly zeros.
_BLOCKS: Final = {882: 14, 960: 16, 2205: 21, 2400: 24}


@cache
def _matrix(block: int, divisor: int) -> NDArray[np.float32]:
    """From the samples of a block and around it to its frames: ``[block + 2 * support, block * divisor]``."""
    half = SUPPORT * divisor
    n = np.arange(-half, half + 1)
    taps = np.sinc(n / divisor) * np.kaiser(len(n), _KAISER_BETA)
    at = np.arange(block * divisor)[None, :] - (np.arange(block + 2 * SUPPORT) - SUPPORT)[:, None] * divisor
    inside = np.abs(at) <= half
    return np.where(inside, taps[np.clip(at + half, 0, 2 * half)], 0.0).astype(np.float32)


def trimmed(samples: Array, grid: Grid) -> Array:
    """``[..., sample]`` of a chunk and its surroundings, cut to what :func:`upsample` needs."""
    spare = (samples.shape[-1] - grid.samples) // 2 - grid.around
    return samples[..., spare : samples.shape[-1] - spare]


def faded(start: Array, end: Array, grid: Grid) -> Array:
    """Fade linearly from ``start`` at the chunk's first sample to ``end`` at the next chunk's.

    Both are ``[..., sample]`` as :func:`trimmed` gives them.
    """
    return start + (end - start) * _along(grid, arrays.home_of(start))


@cache
def _along(grid: Grid, home: Home) -> Array:
    samples = np.arange(-grid.around, grid.samples + grid.around, dtype=np.float32)
    return arrays.at(home, samples / np.float32(grid.samples))


def upsample(samples: Array, grid: Grid) -> Array:
    """``[row, sample]`` on ``grid``, including the samples around the chunk, to ``[row, frame]``."""
    if grid.divisor == 1:
        return samples
    block = _BLOCKS[grid.samples]
    windows = arrays.windows(samples, block + 2 * SUPPORT, block).reshape(-1, block + 2 * SUPPORT)
    matrix = _matrix_on(block, grid.divisor, arrays.home_of(samples))
    return arrays.product(windows, matrix).reshape(len(samples), grid.audio.frames_per_chunk)


@cache
def _matrix_on(block: int, divisor: int, home: Home) -> Array:
    return arrays.at(home, _matrix(block, divisor))
