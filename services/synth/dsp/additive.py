"""Additive synthesis as a matrix product.

A partial of constant frequency over one chunk is cut into sub-blocks of ``K`` frames. With the complex
amplitude ``C_p(t1) = A_p(t1) exp(j phi_p(t1))`` at the sub-blocks' starts and hat windows between them,

    y[t1 K + t2] = Re sum_p C_p(t1) e^{j w_p t2} (1 - t2/K) + C_p(t1 + 1) e^{j w_p (t2 - K)} (t2/K)

is one real product ``[T1, 4P] x [4P, K]``: the phase is exact at every frame, the amplitude is interpolated
linearly every 1.4 ms. The stereo gains of a partial are part of its basis, so the product gives both
channels. (Spectral modelling: Serra & Smith 1990; overlap-add of windowed sinusoids: Rodet & Depalle 1992.)

Partials travel in *tiles* of :data:`TILE` that belong to one channel each. Every product has the shape of a
tile, and tiles are added in their order, so a channel's samples do not depend on what else is in the batch.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp.grid import Grid

TILE: Final = 64
_TERMS: Final = 4  # real and imaginary part, at the start and at the end of a sub-block


def basis(freq_hz: NDArray[np.float64], stereo_gain: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """What a unit amplitude of each partial adds to a sub-block: ``[partial, term, audio channel, frame]``.

    ``freq_hz`` is ``[partial]``, ``stereo_gain`` ``[partial, audio channel]``.
    """
    k = grid.block
    t2 = np.arange(k)
    w = 2 * np.pi * freq_hz[:, None] / grid.audio.sample_rate_hz
    rising = t2 / k
    start = np.exp(1j * w * t2) * (1 - rising)
    end = np.exp(1j * w * (t2 - k)) * rising
    terms = np.stack([start.real, -start.imag, end.real, -end.imag], axis=1)
    return (terms[:, :, None, :] * stereo_gain[:, None, :, None]).astype(np.float32)


def rotation(freq_hz: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """``e^{j w K t1}`` at the sub-block borders of a chunk: ``[partial, real/imaginary, border]``."""
    t1 = np.arange(grid.blocks + 1)
    turns = freq_hz[:, None] * grid.block / grid.audio.sample_rate_hz * t1
    angle = 2 * np.pi * (turns % 1.0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def start_phasor(
    freq_hz: NDArray[np.float64], phase_turns: NDArray[np.float64], frames: NDArray[np.int64], rate_hz: int
) -> NDArray[np.float32]:
    """``e^{j phi}`` of each partial ``frames`` after its onset: ``[partial, real/imaginary]``.

    Whole and fractional hertz are reduced apart in float64, so that hours after the onset the phase is as
    exact as at its beginning.
    """
    whole = np.floor(freq_hz)
    turns = (whole.astype(np.int64) * frames % rate_hz) / rate_hz
    turns = turns + (freq_hz - whole) * (frames / rate_hz) + phase_turns
    angle = 2 * np.pi * (turns % 1.0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def synthesise(
    amplitude: torch.Tensor, rotations: torch.Tensor, phasors: torch.Tensor, bases: torch.Tensor, grid: Grid
) -> torch.Tensor:
    """Render tiles of partials.

    Args:
        amplitude: ``[tile * TILE, border]``, linear.
        rotations: ``[tile * TILE, 2, border]`` of :func:`rotation`.
        phasors: ``[tile * TILE, 2]`` of :func:`start_phasor`.
        bases: ``[tile * TILE, 4, audio channel, K]`` of :func:`basis`.
        grid: the chunk's grid.

    Returns:
        ``[tile, frame, audio channel]``, each tile's sum.
    """
    turn_re, turn_im = rotations[:, 0], rotations[:, 1]
    start_re, start_im = phasors[:, 0, None], phasors[:, 1, None]
    re = amplitude * (turn_re * start_re - turn_im * start_im)
    im = amplitude * (turn_re * start_im + turn_im * start_re)
    terms = torch.stack([re[:, :-1], im[:, :-1], re[:, 1:], im[:, 1:]], dim=1)
    tiles = amplitude.shape[0] // TILE
    left = terms.reshape(tiles, TILE * _TERMS, grid.blocks).transpose(1, 2)
    right = bases.reshape(tiles, TILE * _TERMS, AUDIO_CHANNELS * grid.block)
    product = torch.bmm(left, right).reshape(tiles, grid.blocks, AUDIO_CHANNELS, grid.block)
    return product.transpose(2, 3).reshape(tiles, grid.blocks * grid.block, AUDIO_CHANNELS)
