"""Additive synthesis as a matrix product.

A partial of constant frequency over one chunk is cut into sub-blocks of ``K`` samples. With the complex
amplitude ``C_p(t1) = A_p(t1) exp(j phi_p(t1))`` at the sub-blocks' borders and hat windows between them,

    y[t1 K + t2] = Re sum_p C_p(t1) e^{j w_p t2} (1 - t2/K) + C_p(t1 + 1) e^{j w_p (t2 - K)} (t2/K)

is one real product: the phase is exact at every border, the amplitude is interpolated
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
PARTS: Final = 2  # real and imaginary


def basis(freq_hz: NDArray[np.float64], stereo: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """What a unit amplitude of each partial adds to the blocks after and before a border.

    ``stereo`` are gains ``[partial, ear]``. Gives ``[partial, part, ear, sample]``: a block's samples for the
    border at its start, then those for the one at its end.
    """
    k = grid.block
    w = 2 * np.pi * freq_hz[:, None] / grid.rate_hz
    rising = np.arange(k) / k
    start = _rotation(w, k)
    end = start * (np.exp(-1j * w * k) * rising)
    start *= 1 - rising
    both = np.concatenate([start, end], axis=1)
    parts = np.stack([both.real, -both.imag], axis=1)
    return (parts[:, :, None, :] * stereo[:, None, :, None]).astype(np.float32)


def _rotation(w: NDArray[np.float64], count: int) -> NDArray[np.complex128]:
    """``e^{j w n}`` for ``n < count`` as products of a few: ``[partial, n]`` from ``w`` ``[partial, 1]``."""
    step = int(np.sqrt(count)) + 1
    fine, rough = np.exp(1j * w * np.arange(step)), np.exp(1j * w * np.arange(0, count, step))
    every: NDArray[np.complex128] = rough[:, :, None] * fine[:, None, :]
    return every.reshape(len(w), rough.shape[1] * step)[:, :count]


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


def phasors(amplitude: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Complex amplitudes at the borders: ``[partial, part, border]`` from two ``[partial, border]``."""
    angle = turns * (2 * np.pi)
    found = torch.empty(len(angle), PARTS, angle.shape[1], device=angle.device)
    torch.cos(angle, out=found[:, 0])
    torch.sin(angle, out=found[:, 1])
    return found.mul_(amplitude[:, None, :])


def product(left: torch.Tensor, bases: torch.Tensor) -> torch.Tensor:
    """Sum the partials: ``left`` of :func:`phasors`, ``bases`` of :func:`basis`; gives ``[ear, sample]``."""
    rows = left.shape[0] * PARTS
    summed = left.reshape(rows, -1).t() @ bases.reshape(rows, -1)
    after, before = summed.reshape(left.shape[-1], AUDIO_CHANNELS, 2, -1).unbind(2)
    return (after[:-1] + before[1:]).transpose(0, 1).flatten(1)
