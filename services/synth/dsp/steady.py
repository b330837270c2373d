"""Steady partials by one inverse FFT.

A *steady* partial keeps its frequency over a chunk, and its level is on a straight line from the chunk's
start to its end. With ``c`` near the chunk's middle, a chunk of ``N`` frames is

    y[n] = Re sum_p (a_p + d_p (n - c) / N) e^{j w_p (n - c)}

In an FFT of ``M`` points, about half as many again as the chunk has frames, each partial is a peak that lies
between the bins. It is spread over the :data:`WIDTH` bins around it by a kernel that falls off in frequency
and in time; all partials' spectra are summed and transformed at once, and the kernel's effect on levels over
time is divided out. This is a nonuniform FFT (Dutt & Rokhlin 1993) with the kernel of Barnett, Magland & af
Klinteberg (2019), ``exp(beta (sqrt(1 - x^2) - 1))``; for its use in synthesis: Rodet & Depalle (1992). The
slope ``d_p`` has a kernel of its own, the derivative of the first: a multiplication by ``n`` in time is a
differentiation in frequency. A partial costs 18 additions to bins, however long the chunk is.

Bins are equally wide on every grid. A spectrum whose highest partial lives on a coarser grid is transformed
there.
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid, transforms
from services.synth.dsp.arrays import Array, Device, Float64Array, Home
from services.synth.dsp.grid import Grid
from services.synth.dsp.sums import Sums

WIDTH: Final = 9  # bins that a partial is spread over
KERNELS: Final = 2  # of the level and of its slope
# Points on the full grid, by the chunk's frames: multiples of every grid's divisor, products of small primes.
_POINTS: Final = {4410: 6720, 4800: 7200}
# The kernel's shape, relative to the value beyond which it aliases in time: the one with the least error.
_SHAPE: Final = 0.96
_NODES: Final = 64  # of the quadrature of a kernel that has no closed transform


class Spread(NamedTuple):
    """Partials in the spectrum: the first bin of each, and its weights in the bins from there on.

    ``first`` is ``[partial]``, ``weights`` ``[partial, bin, kernel]``: for the level, and for the slope.
    """

    first: NDArray[np.int32]
    weights: NDArray[np.float32]

    def only(self, index: NDArray[np.intp]) -> "Spread":
        """The spread of the partials at ``index``."""
        return Spread(self.first[index], self.weights[index])


class Spectrum(NamedTuple):
    """How the partials of a chunk add up to bins on ``grid``.

    Bins are ``sums`` of rows: the levels of all partials, followed by their slopes.
    """

    sums: Sums
    grid: Grid


@cache
def centre(audio: AudioFormat) -> int:
    """The frame ``c`` of a chunk at which phases are given: near the middle, and a sample of every grid."""
    every = math.lcm(*(on.divisor for on in grid.grids(audio)))
    return audio.frames_per_chunk // 2 // every * every


@cache
def lowest_hz(audio: AudioFormat) -> float:
    """The frequency below which a partial's bins would begin below bin 0."""
    return WIDTH / 2 * _bin_hz(audio)


def spread(freq_hz: Float64Array, audio: AudioFormat) -> Spread:
    """The spread of partials, each of at least :func:`lowest_hz`, over bins."""
    place = freq_hz / _bin_hz(audio)
    first = np.ceil(place - WIDTH / 2).astype(np.int32)
    bins = first[:, None] + np.arange(WIDTH, dtype=np.int32)
    x = (bins - place[:, None]) * (2 / WIDTH)
    # At the very ends of the kernel its derivative would be unbounded.
    root = np.sqrt(np.maximum(1 - x * x, 1e-4))
    beta, points, frames = _beta(audio), _POINTS[audio.frames_per_chunk], audio.frames_per_chunk
    # Every other bin is turned by half a turn: the chunk's centre lies in the middle of the points. Bin 0
    # counts once in a real transform, the others twice.
    level = np.exp(beta * (root - 1)) * (1 - 2 * (bins % 2)) * np.where(bins, 1, 2)
    slope = level * x / root * (-beta * (2 / WIDTH) * points / (2 * np.pi * frames))
    return Spread(first, np.stack([level, slope], axis=2).astype(np.float32))


def spectrum(spreads: Sequence[Spread], highest_hz: float, audio: AudioFormat, device: Device) -> Spectrum:
    """How the partials of ``spreads``, none of them over ``highest_hz``, add up."""
    share = highest_hz / audio.sample_rate_hz
    on = next(each for each in reversed(grid.grids(audio)) if share < each.high)
    first = np.concatenate([each.first for each in spreads])
    weights = np.concatenate([each.weights for each in spreads]).reshape(-1, KERNELS)
    bins = (first[:, None] + np.arange(WIDTH)).astype(np.uint16).ravel()
    order = np.argsort(bins, kind="stable")  # takes linear time for integers this small
    starts = np.zeros(_points(on) // 2 + 2, np.int32)
    np.cumsum(np.bincount(bins, minlength=len(starts) - 1), out=starts[1:])
    sources = _rows(len(first)).take(order, axis=0).ravel()
    each_weight, rows = weights.take(order, axis=0).ravel(), KERNELS * len(first)
    return Spectrum(Sums(sources, starts * KERNELS, each_weight, rows, arrays.home(device)), on)


def peaks(start: Array, end: Array, phasors: Array, audio: AudioFormat) -> Array:
    """Level and slope, with the phase at :func:`centre`: complex, ``[kernel, partial]``.

    Args:
        start: levels at the chunk's start, ``[partial]``.
        end: levels at its end.
        phasors: the phases as complex numbers.
        audio: the format of the chunks.
    """
    slope = (end - start) * phasors
    level = start * phasors + slope * (centre(audio) / audio.frames_per_chunk)
    return arrays.stacked([level, slope * 1j])


def bins(peaks: Array, mixing: Array, into: Spectrum) -> Array:
    """The spectrum of every output: complex, ``[bin, output]``.

    ``mixing`` is the gain of each partial in each output, once for each part of its complex number:
    ``[partial, output and part]``.
    """
    partials, outputs = len(mixing), mixing.shape[1] // additive.PARTS
    mixed = arrays.in_parts(arrays.repeated(peaks, outputs))
    mixed *= mixing
    return arrays.of_parts(into.sums.of(mixed.reshape(KERNELS * partials, -1)))


def samples(found: Array, on: Grid) -> Array:
    """The result of :func:`bins` as samples on its grid, for :func:`upsample`: ``[output, sample]``."""
    points = transforms.inverse(found.T, _points(on), norm="forward")
    first, levels = _window(on, arrays.home_of(points))
    return points[:, first : first + len(levels)] * levels


@lru_cache(maxsize=64)
def _rows(partials: int) -> NDArray[np.int32]:
    """The rows that each bin of each partial is summed from: ``[partial and bin, kernel]``."""
    partial = np.repeat(np.arange(partials, dtype=np.int32), WIDTH)
    return np.stack([partial, partial + np.int32(partials)], axis=1)


def _points(on: Grid) -> int:
    return _POINTS[on.audio.frames_per_chunk] // on.divisor


def _bin_hz(audio: AudioFormat) -> float:
    return audio.sample_rate_hz / _POINTS[audio.frames_per_chunk]


def _beta(audio: AudioFormat) -> float:
    frames, points = audio.frames_per_chunk, _POINTS[audio.frames_per_chunk]
    return _SHAPE * np.pi * WIDTH * (1 - frames / (2 * points))


@cache
def _window(on: Grid, home: Home) -> tuple[int, Array]:
    """The index of the first sample among the points, and the factor of each sample."""
    from_centre = np.arange(-on.around, on.samples + on.around) - centre(on.audio) // on.divisor
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    kernel = weights * np.exp(_beta(on.audio) * (np.sqrt(1 - nodes**2) - 1)) * (WIDTH / 2)
    turns = np.pi * WIDTH / _points(on) * from_centre
    heard = np.cos(turns[:, None] * nodes) @ kernel
    # A real transform counts each bin twice.
    levels = (0.5 / heard).astype(np.float32)
    return int(from_centre[0]) + _points(on) // 2, arrays.at(home, levels)
