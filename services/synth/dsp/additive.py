"""Additive synthesis as a matrix product.

A partial of constant frequency over one chunk is cut into sub-blocks of ``K`` samples. With the complex
amplitude ``C_p(t1) = A_p(t1) exp(j phi_p(t1))`` at the sub-blocks' borders and hat windows between them,

    y[t1 K + t2] = Re sum_p C_p(t1) e^{j w_p t2} (1 - t2/K) + C_p(t1 + 1) e^{j w_p (t2 - K)} (t2/K)

is one real product ``[T1, 4P] x [4P, K]``: the phase is exact at every border, the amplitude is interpolated
linearly, and a frequency that moves a little (vibrato, a glide) is a phase that does. (Spectral modelling:
Serra & Smith 1990; overlap-add of windowed sinusoids: Rodet & Depalle 1992.)

All arrays are ``[partial, ...]``. Every product is that of one channel's layer, so its samples do not depend
on what else is in the batch; elementwise work is done on all of them at once, in multiples of :data:`ROWS`,
so that no vector register ever holds a remainder.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp.grid import Grid

# Sixteen rows of an even number of borders fill the widest registers exactly, unrolled twice.
ROWS: Final = 16
TERMS: Final = 4  # real and imaginary part, at the start and at the end of a sub-block


def basis(freq_hz: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """What a unit amplitude of each partial adds to a sub-block: ``[partial, term, sample]``."""
    k = grid.block
    t2 = np.arange(k)
    w = 2 * np.pi * freq_hz[:, None] / grid.rate_hz
    rising = t2 / k
    start = np.exp(1j * w * t2)
    end = start * (np.exp(-1j * w * k) * rising)
    start *= 1 - rising
    return np.stack([start.real, -start.imag, end.real, -end.imag], axis=1).astype(np.float32)


def border_turns(freq_hz: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """Phases at the borders from that at the chunk's start, in turns: ``[partial, border]``."""
    turns = freq_hz[:, None] / grid.audio.sample_rate_hz * grid.border_frames
    return (turns % 1.0).astype(np.float32)


def start_turns(
    freq_hz: NDArray[np.float64], phase_turns: NDArray[np.float64], frames: NDArray[np.int64], rate_hz: int
) -> NDArray[np.float32]:
    """Phase of each partial ``frames`` after its reference, in turns: ``[partial]``.

    Whole and fractional hertz are reduced apart in float64, so that hours after the onset the phase is as
    exact as at its beginning.
    """
    whole = np.floor(freq_hz)
    turns = (whole.astype(np.int64) * frames % rate_hz) / rate_hz
    turns = turns + (freq_hz - whole) * (frames / rate_hz) + phase_turns
    return (turns % 1.0).astype(np.float32)


def terms(amplitude: torch.Tensor, turns: torch.Tensor, stereo: torch.Tensor) -> torch.Tensor:
    """The left factor of the product.

    Args:
        amplitude: ``[partial, border]``, linear.
        turns: ``[partial, border]``.
        stereo: gains ``[partial, ear]``.

    Returns:
        ``[partial, term, ear, block]``.
    """
    angle = turns * (2 * np.pi)
    heard = amplitude[:, None, :] * stereo[:, :, None]
    re, im = heard * torch.cos(angle)[:, None, :], heard * torch.sin(angle)[:, None, :]
    return torch.stack([re[..., :-1], im[..., :-1], re[..., 1:], im[..., 1:]], dim=1)


def product(left: torch.Tensor, bases: torch.Tensor) -> torch.Tensor:
    """Sum the partials: ``left`` of :func:`terms`, ``bases`` of :func:`basis`; gives ``[ear, sample]``."""
    rows = left.shape[0] * TERMS
    summed = left.reshape(rows, -1).t() @ bases.reshape(rows, -1)
    return summed.reshape(AUDIO_CHANNELS, -1)
