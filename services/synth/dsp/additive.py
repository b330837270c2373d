"""Additive synthesis as a matrix product: *lively* partials.

A chunk is cut into blocks of ``K`` samples. A partial that rises, falls or bends has the complex amplitude
``C_p(t1) = A_p(t1) exp(j phi_p(t1))`` at the blocks' borders and hat windows between them:

    y[t1 K + t2] = Re sum_p C_p(t1) e^{j w_p t2} (1 - t2/K) + C_p(t1 + 1) e^{j w_p (t2 - K)} (t2/K)

This is a real product of two matrices. The phase is exact at every border, levels are interpolated linearly
between borders, and a frequency that moves a little (vibrato, a glide) is a phase that moves. (Spectral
modelling: Serra & Smith 1990; overlap-add of windowed sinusoids: Rodet & Depalle 1992.) Partials that keep
their frequency and move evenly over the chunk cost less: :mod:`services.synth.dsp.steady`.

A partial's phase at the borders is its phase at the chunk's start, turned by angles that are the same in
every chunk: these are computed once. Partials lie along the last axis, in multiples of :data:`ROWS` where
several channels are computed together, so that elementwise operations fill whole vector registers and no bit
depends on what else is in a batch. For the same reason each product covers one layer of one channel alone.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array, Float64Array
from services.synth.dsp.grid import Blocks
from services.synth.dsp.upsampling import trimmed

# No elementwise loop takes more of a row at a time: two of the widest registers, of sixteen numbers each.
ROWS: Final = 32
PARTS: Final = 2  # real and imaginary
ENDS: Final = 2  # of a chunk


class Waves(NamedTuple):
    """The tables of lively partials, constant while they sound.

    ``bases`` (``[partial, part, sample]``) is what a unit amplitude at a border adds to the blocks around it:
    first to the block that begins there, then to the block that ends there. ``phasors``
    (``[border, partial]``) say how far each partial has turned at each border since the chunk's start.
    """

    bases: NDArray[np.float32]
    phasors: NDArray[np.complex64]

    def only(self, index: NDArray[np.intp]) -> "Waves":
        """The tables of the partials at ``index``."""
        return Waves(self.bases[index], self.phasors.take(index, axis=1))


def waves(freq_hz: Float64Array, blocks: Blocks) -> Waves:
    """The tables of partials at ``freq_hz``."""
    return Waves(_bases(freq_hz, blocks), _phasors(freq_hz, blocks))


def _bases(freq_hz: Float64Array, blocks: Blocks) -> NDArray[np.float32]:
    k = blocks.size
    w = 2 * np.pi * freq_hz[:, None] / blocks.grid.rate_hz
    samples = _rotation(w, k)
    rising = (np.arange(k) / k).astype(np.float32)
    end = samples * np.exp(-1j * w * k).astype(np.complex64) * rising
    samples = np.concatenate([samples * (1 - rising), end], axis=1)
    parts = np.empty((len(w), PARTS, samples.shape[1]), dtype=np.float32)
    parts[:, 0] = samples.real
    np.negative(samples.imag, out=parts[:, 1], casting="same_kind")
    return parts


def _rotation(w: Float64Array, count: int) -> NDArray[np.complex64]:
    """``e^{j w n}`` for ``n < count`` from few exponentials: ``[partial, n]`` from ``w`` ``[partial, 1]``."""
    step = int(np.sqrt(count)) + 1
    few = np.exp(1j * w * np.concatenate([np.arange(step), np.arange(0, count, step)])).astype(np.complex64)
    fine, rough = few[:, :step], few[:, step:]
    every: NDArray[np.complex64] = rough[:, :, None] * fine[:, None, :]
    return every.reshape(len(w), rough.shape[1] * step)[:, :count]


def _phasors(freq_hz: Float64Array, blocks: Blocks) -> NDArray[np.complex64]:
    first = np.exp(2j * np.pi * ((freq_hz * (blocks.frames[0] / blocks.grid.audio.sample_rate_hz)) % 1.0))
    turned = _rotation(2 * np.pi * freq_hz[:, None] * blocks.size / blocks.grid.rate_hz, len(blocks.frames))
    # Contiguous along the partials: elementwise products run along them.
    return np.ascontiguousarray((turned * first.astype(np.complex64)[:, None]).T)


def start_turns(
    freq_hz: Float64Array, phase_turns: Float64Array, frames: NDArray[np.int64], rate_hz: int
) -> NDArray[np.float32]:
    """Phase of each partial ``frames`` after its reference, in turns: ``[partial]``.

    Whole and fractional hertz are reduced separately in float64, so that hours after the onset the phase is
    as exact as at the onset.
    """
    whole = np.floor(freq_hz)
    # With whole hertz this product is an integer, exact in float64 up to 2^53: some months of the highest
    # partial.
    turns = whole * frames / rate_hz
    turns += (freq_hz - whole) * (frames / rate_hz)
    turns += phase_turns
    turns -= np.floor(turns)
    return turns.astype(np.float32)


def factor(phasors: Array, amplitude: Array, stereo: Array) -> Array:
    """The left factor of the product: ``[ear and border, partial and part]``.

    Args:
        phasors: complex, ``[border, partial]``.
        amplitude: ``[border, partial]``.
        stereo: gains, ``[ear, partial]``.
    """
    turned = phasors * amplitude
    return arrays.in_parts(turned * stereo[:, None]).reshape(len(stereo) * len(phasors), -1)


def sums(left: Array, groups: Sequence[tuple[int, int, Array]]) -> Array:
    """Sum the partials of each group: ``[group, row, sample]``.

    Args:
        left: the left factor, for the partials of all groups.
        groups: of each group the first partial, the one after the last, and the matrix of the bases:
            ``[partial and part, sample]``.
    """
    found = arrays.empty((len(groups), len(left), groups[0][2].shape[1]), like=left)
    for (first, last, bases), out in zip(groups, found, strict=True):
        arrays.product(left[:, PARTS * first : PARTS * last], bases, out)
    return found


def joined(found: Array, blocks: Blocks) -> Array:
    """The result of :func:`sums` as samples for :func:`upsample`: ``[group and ear, sample]``.

    Each border adds to the blocks on both of its sides.
    """
    borders = found.reshape(-1, len(blocks.frames), 2 * blocks.size)
    samples = borders[:, :-1, : blocks.size] + borders[:, 1:, blocks.size :]
    return trimmed(samples.reshape(len(samples), -1), blocks.grid)
