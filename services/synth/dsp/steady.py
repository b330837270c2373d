"""Steady partials by one inverse FFT.

A *steady* partial keeps its frequency over a chunk, and its level is on a straight line from the chunk's
start to its end. With ``c`` near the chunk's middle, a chunk of ``N`` frames is

    y[n] = Re sum_p (a_p + d_p (n - c) / N) e^{j w_p (n - c)}

To an FFT of ``M`` points, about half as many again as the chunk has, each partial is a peak that lies between
the bins. It is spread over the :data:`WIDTH` bins around it by a kernel that falls off in frequency and in
time; all partials' spectra are summed and transformed at once, and what the kernel does to levels over time
is divided out. That is a nonuniform FFT (Dutt & Rokhlin 1993) with the kernel of Barnett, Magland & af
Klinteberg (2019), ``exp(beta (sqrt(1 - x^2) - 1))``; as a way to synthesise: Rodet & Depalle (1992). The
slope ``d_p`` has a kernel of its own, the first one's derivative: what is multiplied by ``n`` in time is
differentiated in frequency. A partial costs as much as 18 bins do, however long the chunk is.

Bins are as wide on every grid. A spectrum whose highest partial lives on a coarser one is transformed there.
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid, transforms
from services.synth.dsp.arrays import Array, Device, Home
from services.synth.dsp.grid import Grid
from services.synth.dsp.sums import Sums

WIDTH: Final = 9  # bins that a partial is spread over
KERNELS: Final = 2  # of the level and of its slope
# Points on the full grid, by the chunk's frames: multiples of every grid's divisor, products of small primes.
_POINTS: Final = {4410: 6720, 4800: 7200}
# The kernel's shape, as a share of the one beyond which it aliases in time: the least error.
_SHAPE: Final = 0.96
_NODES: Final = 64  # of the quadrature of a kernel that has no closed transform


class Spread(NamedTuple):
    """Partials in the spectrum: the first of each one's bins and what it adds to them.

    ``first`` is ``[partial]``, ``weights`` ``[partial, bin, kernel]``: of its level, and of its slope.
    """

    first: NDArray[np.int32]
    weights: NDArray[np.float32]

    def only(self, index: NDArray[np.intp]) -> "Spread":
        """Those partials only."""
        return Spread(self.first[index], self.weights[index])


class Spectrum(NamedTuple):
    """How the partials of a chunk add up to bins on ``grid``.

    Bins are ``sums`` of rows: the levels of all partials and, after them, their slopes.
    """

    sums: Sums
    grid: Grid


@cache
def centre(audio: AudioFormat) -> int:
    """The frame ``c`` of a chunk at which phases are given: near the middle, on every grid a sample."""
    every = math.lcm(*(on.divisor for on in grid.grids(audio)))
    return audio.frames_per_chunk // 2 // every * every


@cache
def lowest_hz(audio: AudioFormat) -> float:
    """Under this frequency a partial's bins would reach below the first one."""
    return WIDTH / 2 * _bin_hz(audio)


def spread(freq_hz: NDArray[np.float64], audio: AudioFormat) -> Spread:
    """Partials of at least :func:`lowest_hz` in the spectrum."""
    place = freq_hz / _bin_hz(audio)
    first = np.ceil(place - WIDTH / 2).astype(np.int32)
    bins = first[:, None] + np.arange(WIDTH, dtype=np.int32)
    x = (bins - place[:, None]) * (2 / WIDTH)
    # At the kernel's very end its slope would have no bound.
    root = np.sqrt(np.maximum(1 - x * x, 1e-4))
    beta, points, frames = _beta(audio), _POINTS[audio.frames_per_chunk], audio.frames_per_chunk
    # Every other bin is turned by half a turn: the chunk's centre lies in the middle of the points. The first
    # one counts once in a real transform, the others twice.
    level = np.exp(beta * (root - 1)) * (1 - 2 * (bins % 2)) * np.where(bins, 1, 2)
    slope = level * x / root * (-beta * (2 / WIDTH) * points / (2 * np.pi * frames))
    return Spread(first, np.stack([level, slope], axis=2).astype(np.float32))


def spectrum(spreads: Sequence[Spread], highest_hz: float, audio: AudioFormat, device: Device) -> Spectrum:
    """How all of ``spreads`` add up, none of which is over ``highest_hz``."""
    share = highest_hz / audio.sample_rate_hz
    on = next(each for each in reversed(grid.grids(audio)) if share < each.high)
    first = np.concatenate([each.first for each in spreads])
    weights = np.concatenate([each.weights for each in spreads]).reshape(-1, KERNELS)
    bins = (first[:, None] + np.arange(WIDTH)).astype(np.uint16).ravel()
    order = np.argsort(bins, kind="stable")  # of such small numbers in linear time
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
        phasors: of the phases, complex.
        audio: whose chunks.
    """
    slope = (end - start) * phasors
    level = start * phasors + slope * (centre(audio) / audio.frames_per_chunk)
    return arrays.stacked([level, slope * 1j])


def bins(peaks: Array, mixing: Array, into: Spectrum) -> Array:
    """The spectrum of every output: complex, ``[bin, output]``.

    ``mixing`` is what each partial adds to each output, in both parts of its number:
    ``[partial, output and part]``.
    """
    partials, outputs = len(mixing), mixing.shape[1] // additive.PARTS
    mixed = arrays.in_parts(arrays.repeated(peaks, outputs))
    mixed *= mixing
    return arrays.of_parts(into.sums.of(mixed.reshape(KERNELS * partials, -1)))


def samples(found: Array, on: Grid) -> Array:
    """What :func:`bins` has found as samples on its grid, as :func:`upsample` takes them.

    ``[output, sample]``.
    """
    points = transforms.inverse(found.T, _points(on), norm="forward")
    first, levels = _window(on, arrays.home_of(points))
    return points[:, first : first + len(levels)] * levels


@lru_cache(maxsize=64)
def _rows(partials: int) -> NDArray[np.int32]:
    """Which rows are those of each partial's bins: ``[partial and bin, kernel]``."""
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
    """Which of the points is the first sample, and what each sample of the transform is multiplied by."""
    from_centre = np.arange(-on.around, on.samples + on.around) - centre(on.audio) // on.divisor
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    kernel = weights * np.exp(_beta(on.audio) * (np.sqrt(1 - nodes**2) - 1)) * (WIDTH / 2)
    turns = np.pi * WIDTH / _points(on) * from_centre
    heard = np.cos(turns[:, None] * nodes) @ kernel
    # A real transform counts each bin twice.
    levels = (0.5 / heard).astype(np.float32)
    return int(from_centre[0]) + _points(on) // 2, arrays.at(home, levels)
