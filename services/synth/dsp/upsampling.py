"""From a coarser grid's rate to the full one: a windowed-sinc interpolator as a matrix product.

A Kaiser window (Kaiser 1974) puts images 95 dB down; the passband is flat up to the grid's highest
partial. The filter is symmetric and delays nothing: the chunk's neighbourhood is evaluated, not waited for.
"""

from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from services.synth.dsp.grid import Grid

_SUPPORT: Final = 12  # samples on either side
_KAISER_BETA: Final = 9.6


@cache
def _matrix(block: int, divisor: int) -> NDArray[np.float32]:
    """``[block + 2 * support, block * divisor]``: the samples around a block to its full-rate frames."""
    half = _SUPPORT * divisor
    n = np.arange(-half, half + 1)
    taps = np.sinc(n / divisor) * np.kaiser(len(n), _KAISER_BETA)
    at = np.arange(block * divisor)[None, :] - (np.arange(block + 2 * _SUPPORT) - _SUPPORT)[:, None] * divisor
    inside = np.abs(at) <= half
    return np.where(inside, taps[np.clip(at + half, 0, 2 * half)], 0.0).astype(np.float32)


def upsample(samples: torch.Tensor, grid: Grid) -> torch.Tensor:
    """``[..., sample]`` on ``grid`` with its margins to ``[..., frame]`` of the chunk."""
    matrix = torch.from_numpy(_matrix(grid.block, grid.divisor)).to(samples.device)
    first = grid.margin * grid.block - _SUPPORT
    around = samples[..., first : first + grid.blocks * grid.block + 2 * _SUPPORT]
    windows = around.unfold(-1, grid.block + 2 * _SUPPORT, grid.block)
    return (windows @ matrix).flatten(-2)
