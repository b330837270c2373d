"""Additive synthesis as a matrix product.

A partial of constant frequency over one chunk is cut into sub-blocks of ``K`` samples. With the complex
amplitude ``C_p(t1) = A_p(t1) exp(j phi_p(t1))`` at the sub-blocks' borders and hat windows between them,

    y[t1 K + t2] = Re sum_p C_p(t1) e^{j w_p t2} (1 - t2/K) + C_p(t1 + 1) e^{j w_p (t2 - K)} (t2/K)

is one real product: the phase is exact at every border, the amplitude is interpolated
linearly, and a frequency that moves a little (vibrato, a glide) is a phase that does. (Spectral modelling:
Serra & Smith 1990; overlap-add of windowed sinusoids: Rodet & Depalle 1992.)

A partial's phase at the borders is that at the chunk's start, turned by angles that are the same in every
chunk: they are computed once, and no sine is needed while a partial sounds. Partials lie along the last axis,
in multiples of :data:`ROWS`, so that everything elementwise fills whole vector registers and no bit depends
on what else is in a batch. Every product is that of one channel's layer, for the same reason.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from services.synth.dsp.grid import Grid

# What torch takes at a time of a row in memory, in the widest registers: two of sixteen.
ROWS: Final = 32
PARTS: Final = 2  # real and imaginary


def basis(freq_hz: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """What a unit amplitude of each partial adds to the blocks after and before a border.

    Gives ``[partial, part, sample]``: a block's samples for the border at its start, then those for the one
    at its end.
    """
    k = grid.block
    w = 2 * np.pi * freq_hz[:, None] / grid.rate_hz
    rising = np.arange(k) / k
    start = _rotation(w, k)
    end = start * (np.exp(-1j * w * k) * rising)
    start *= 1 - rising
    both = np.concatenate([start, end], axis=1)
    return np.stack([both.real, -both.imag], axis=1).astype(np.float32)


def _rotation(w: NDArray[np.float64], count: int) -> NDArray[np.complex128]:
    """``e^{j w n}`` for ``n < count`` as products of a few: ``[partial, n]`` from ``w`` ``[partial, 1]``."""
    step = int(np.sqrt(count)) + 1
    fine, rough = np.exp(1j * w * np.arange(step)), np.exp(1j * w * np.arange(0, count, step))
    every: NDArray[np.complex128] = rough[:, :, None] * fine[:, None, :]
    return every.reshape(len(w), rough.shape[1] * step)[:, :count]


def border_phasors(freq_hz: NDArray[np.float64], grid: Grid) -> NDArray[np.complex64]:
    """How far each partial has turned at each border since the chunk's start: ``[border, partial]``."""
    first = np.exp(2j * np.pi * ((freq_hz * (grid.border_frames[0] / grid.audio.sample_rate_hz)) % 1.0))
    turned = _rotation(2 * np.pi * freq_hz[:, None] * grid.block / grid.rate_hz, len(grid.border_frames))
    phasors: NDArray[np.complex64] = (turned * first[:, None]).T.astype(np.complex64)
    return phasors


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


def unit_phasors(turns: torch.Tensor) -> torch.Tensor:
    """``e^{2 pi j turns}``."""
    angle = turns * (2 * np.pi)
    return torch.complex(torch.cos(angle), torch.sin(angle))


def in_parts(values: torch.Tensor) -> torch.Tensor:
    """Each value twice, for the real and the imaginary part: ``[..., partial and part]``."""
    return values.repeat_interleave(PARTS, dim=-1)


def ears(phasors: torch.Tensor, amplitude: torch.Tensor, stereo: torch.Tensor) -> torch.Tensor:
    """What :class:`Matrix` wants: ``[ear and border, partial and part]``.

    Args:
        phasors: complex, ``[border, partial]``.
        amplitude: ``[border, partial and part]``; overwritten.
        stereo: gains, ``[ear, partial and part]``.
    """
    amplitude.mul_(torch.view_as_real(phasors).flatten(1))
    return (amplitude * stereo[:, None]).flatten(0, 1)


class Matrix:
    """Bases of several partials as one matrix: ``[partial and part, sample]``."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        # The same memory: numpy's BLAS takes half the time of torch's for such shapes.
        self._array = tensor.numpy() if tensor.device.type == "cpu" else None

    def sum_into(self, out: torch.Tensor, left: torch.Tensor) -> None:
        """Sum the partials: ``out`` ``[ear and border, sample]`` from ``left`` of :func:`ears`."""
        if self._array is None:
            torch.mm(left, self.tensor, out=out)
        else:
            np.matmul(left.numpy(), self._array, out=out.numpy())


def matrix(bases: Sequence[NDArray[np.float32]], device: torch.device) -> Matrix:
    """That of :func:`basis` of several voices."""
    flat = [each.reshape(-1, each.shape[-1]) for each in bases]
    return Matrix(torch.from_numpy(flat[0] if len(flat) == 1 else np.concatenate(flat)).to(device))


def overlapped(blocks: torch.Tensor) -> torch.Tensor:
    """What each border adds to the blocks around it, ``[..., border, 2K]``, as samples ``[..., sample]``."""
    after, before = blocks.chunk(2, dim=-1)
    samples: torch.Tensor = (after[..., :-1, :] + before[..., 1:, :]).flatten(-2)
    return samples
