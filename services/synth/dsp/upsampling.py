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
from services.synth.dsp.products import product

SUPPORT: Final = 12  # samples on either side of the chunk
_KAISER_BETA: Final = 9.6
# Samples at a time, by a chunk's length on its grid: short rows of the matrix are mostly taps, long ones
# mostly zeros.
_BLOCKS: Final = {882: 14, 960: 16, 2205: 21, 2400: 24}


@cache
def _matrix(block: int, divisor: int) -> NDArray[np.float32]:
    """``[block + 2 * support, block * divisor]``: the samples around a block to its full-rate frames."""
    half = SUPPORT * divisor
    n = np.arange(-half, half + 1)
    taps = np.sinc(n / divisor) * np.kaiser(len(n), _KAISER_BETA)
    at = np.arange(block * divisor)[None, :] - (np.arange(block + 2 * SUPPORT) - SUPPORT)[:, None] * divisor
    inside = np.abs(at) <= half
    return np.where(inside, taps[np.clip(at + half, 0, 2 * half)], 0.0).astype(np.float32)


def trimmed(samples: torch.Tensor, margin: int) -> torch.Tensor:
    """``[..., sample]`` that reach ``margin`` samples beyond the chunk, cut to what :func:`upsample` needs.

    The full grid reaches nowhere, and needs nothing.
    """
    spare = margin - SUPPORT
    return samples[..., spare : samples.shape[-1] - spare] if margin else samples


@cache
def along(grid: Grid, device: torch.device) -> torch.Tensor:
    """0 at the chunk's first sample, 1 at the next one's, for what :func:`trimmed` gives: ``[sample]``."""
    reach = SUPPORT if grid.margin else 0
    return torch.arange(-reach, grid.samples + reach, device=device) / grid.samples


def upsample(samples: torch.Tensor, grid: Grid) -> torch.Tensor:
    """``[..., sample]`` on ``grid``, with :data:`SUPPORT` more on either side, to ``[..., frame]``."""
    if grid.divisor == 1:
        return samples
    block = _BLOCKS[grid.samples]
    matrix = torch.from_numpy(_matrix(block, grid.divisor)).to(samples.device)
    windows = samples.unfold(-1, block + 2 * SUPPORT, block).flatten(0, -2)
    return product(windows, matrix).reshape(*samples.shape[:-1], grid.audio.frames_per_chunk)
