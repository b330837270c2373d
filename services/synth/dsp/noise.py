"""Noise as a function of seed and frame: half-octave bands of circular noise, weighted and summed.

Each band is a seamless table of Gaussian noise, read in a loop from a place that the seed and the absolute
frame give. A band by itself thus repeats after 5 to 6.5 s; as the tables' lengths differ, all bands together
repeat only after years. Neighbouring bands overlap power-complementarily: any smooth spectrum is a set of
gains, and gains may move about every 5 ms. Low bands lie on the coarse grid and are brought to the full rate
together with its partials.

Above the lowest bands, which both ears share, the right ear reads half a table away from the left one. That
changes the sign of every odd frequency, so the ears have in common what even frequencies have more of.
"""

from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import arrays, grid, upsampling
from services.synth.dsp.arrays import Array, Float64Array, Home
from services.synth.dsp.grid import Grid
from services.synth.dsp.stereo import diffuse_coherence
from services.synth.dsp.upsampling import trimmed

BANDS: Final = 20
_LOWEST_HZ: Final = 31.25
_HIGHEST: Final = 0.47  # of the sample rate
_MONO_BANDS: Final = 5  # the lowest, up to 150 Hz
# Ears in a diffuse field share the lows; here they also share enough of the highs for a mono sum to lose less
# than 2 dB.
_LEAST_COHERENCE: Final = 0.3
_COS_SQUARE_BAND: Final = 0.3493  # the equivalent width of a band of cos^2 shape, as a share of its centre
_SEED: Final = 1
# The tables' lengths in samples of the bands' grids, about 6 s: even, with small prime factors (so that the
# tables are quick to make), and no two alike.
_LENGTHS: Final = (
    46_080, 46_656, 48_000, 48_600, 49_152, 50_000, 51_200, 51_840, 52_488, 54_000, 55_296, 56_250, 57_600,
    240_000, 248_832, 250_000, 256_000, 259_200, 262_144, 270_000,
)  # fmt: skip
# How many blocks a chunk is cut into where gains move.
_BLOCKS: Final = {4410: 21, 4800: 20}
# A large odd number scatters seeds over tables (Knuth's multiplicative hash).
SCATTER: Final = 0x9E37_79B9_7F4A_7C15


def centres_hz() -> Float64Array:
    """The bands' centres: every half octave from 31 Hz."""
    return _LOWEST_HZ * 2 ** (np.arange(BANDS) / 2)


def coherences() -> Float64Array:
    """The correlation of left and right in each band."""
    diffuse = np.maximum(diffuse_coherence(centres_hz()), _LEAST_COHERENCE)
    return np.where(np.arange(BANDS) < _MONO_BANDS, 1.0, diffuse)


# The highest band on the coarse grid; the bands over it lie on the full grid.
LAST_COARSE: Final = 12


def grid_of(band: int, audio: AudioFormat) -> Grid:
    """The grid of ``band``."""
    return grid.coarse(audio) if band <= LAST_COARSE else grid.full(audio)


class _Tables(NamedTuple):
    """The tables of all bands, concatenated; ``firsts`` says where each begins: ``[band]``."""

    samples: Array
    firsts: NDArray[np.int64]


@cache
def _tables(audio: AudioFormat, home: Home) -> _Tables:
    if home is not None:
        samples, firsts = _tables(audio, None)
        return _Tables(arrays.at(home, samples), firsts)
    tables = [_table(band, audio) for band in range(BANDS)]
    return _Tables(np.concatenate(tables), np.cumsum([0, *map(len, tables[:-1])]))


@cache
def _lengths() -> NDArray[np.int64]:
    return np.array(_LENGTHS)


def _table(band: int, audio: AudioFormat) -> NDArray[np.float32]:
    """The noise of a band, followed by a repeat of its start for as many samples as a chunk reads.

    It has unit power; less where the sample rate cuts the band off.
    """
    draw = np.random.Generator(np.random.Philox(key=_SEED, counter=np.array([0, 0, band, 0], np.uint64)))
    on, length = grid_of(band, audio), _LENGTHS[band]
    centre_hz = centres_hz()[band]
    freq = np.fft.rfftfreq(length, 1 / on.rate_hz)
    octaves = np.log2(np.maximum(freq, 1.0) / centre_hz) * 2
    inside = np.flatnonzero((np.abs(octaves) < 1) & (freq < _HIGHEST * audio.sample_rate_hz))
    reach = _samples_around(on)
    if not len(inside):
        return np.zeros(length + reach, dtype=np.float32)
    shape = np.cos(np.pi / 2 * octaves[inside])
    gauss = draw.standard_normal((2, len(inside)))
    spectrum = np.zeros(len(freq), dtype=np.complex64)
    spectrum[inside] = shape * _shared(inside, coherences()[band]) * (gauss[0] + 1j * gauss[1])
    noise = np.fft.irfft(spectrum, length)
    whole = centre_hz * _COS_SQUARE_BAND * length / on.rate_hz
    noise *= np.sqrt(min(1.0, np.sum(shape**2) / whole) / np.mean(noise**2))
    return np.concatenate([noise, noise[:reach]]).astype(np.float32)


def make_tables(audio: AudioFormat) -> None:
    """Make the tables of all bands in advance: it takes as long as rendering some chunks."""
    _tables(audio, None)


def _samples_around(on: Grid) -> int:
    return on.samples + 2 * around(on)


def around(on: Grid) -> int:
    """How many samples noise has on either side of the chunk: a block, or none at the full rate."""
    return on.samples // _BLOCKS[on.audio.frames_per_chunk] if on.divisor > 1 else 0


@cache
def border_frames(audio: AudioFormat) -> NDArray[np.int64]:
    """Frames at which moving gains are given, from a block before the chunk to one after: ``[border]``."""
    blocks = _BLOCKS[audio.frames_per_chunk]
    return np.arange(-1, blocks + 2) * (audio.frames_per_chunk // blocks)


def _shared(index: NDArray[np.intp], coherence: float) -> Float64Array:
    """Gains of even and odd frequencies that give places half a table apart this ``coherence``."""
    share = 0.0 if coherence == 1.0 else coherence
    return np.asarray(np.sqrt(1 + np.where(index % 2 == 0, share, -share)))


def bands(seed: int, start_frame: int, which: range, on: Grid, home: Home = None) -> Array:
    """The noise of neighbouring bands, all of them on grid ``on``: ``[ear, band, sample]``, at ``home``.

    From :func:`around` samples before the chunk at ``start_frame`` to as many after it. Each band has unit
    power; :func:`coherences` are the correlations of left and right.
    """
    tables, here = _tables(on.audio, home), slice(which.start, which.stop)
    first = start_frame // on.divisor - around(on)
    begins = (_turns(seed)[:, here] + first) % _lengths()[here] + tables.firsts[here]
    return _windows(on, home)[arrays.at(home, begins)]


@lru_cache(maxsize=4096)  # channels; 320 bytes each
def _turns(seed: int) -> NDArray[np.int64]:
    """How far into each band's table each ear begins for a seed: ``[ear, band]``."""
    lengths = _lengths()
    left = [(seed * BANDS + band + 1) * SCATTER % length for band, length in enumerate(_LENGTHS)]
    apart = np.where(np.arange(BANDS) < _MONO_BANDS, 0, lengths // 2)
    return np.stack([left, left + apart])


@cache
def _windows(on: Grid, home: Home) -> Array:
    """The samples that a chunk would read from each place in the tables: ``[first, sample]``, a view."""
    return arrays.windows(_tables(on.audio, home).samples, _samples_around(on), 1)


def faded(gains: Array, noise: Array, on: Grid) -> Array:
    """Weigh and sum the bands with gains that move evenly over the chunk.

    Args:
        gains: ``[end, output, ear and band]``, linear, at the chunk's ends.
        noise: ``[ear and band, sample]`` as from :func:`bands`.
        on: the bands' grid.

    Returns:
        ``[output, sample]`` for :func:`upsample`.
    """
    outputs = gains.shape[1]
    samples = trimmed(noise, on)
    sums = arrays.product(gains.reshape(2 * outputs, -1), samples)
    return upsampling.faded(sums[:outputs], sums[outputs:], on)


def shaped(gains: Array, noise: Array, on: Grid) -> Array:
    """Weigh and sum the bands with gains that move from block to block.

    Args:
        gains: ``[border, output, ear and band]``, linear, at the borders of the blocks.
        noise: ``[ear and band, sample]``, whole blocks.
        on: the bands' grid.

    Returns:
        ``[output, sample]`` for :func:`upsample`.
    """
    outputs, blocks = gains.shape[1], len(gains) - 1
    ends = arrays.joined([gains[:-1], gains[1:]], axis=1)
    sums = arrays.product(ends, noise.reshape(len(noise), blocks, -1).swapaxes(0, 1))
    start, end = sums[:, :outputs], sums[:, outputs:]
    moved = start + (end - start) * _rising(sums.shape[2], arrays.home_of(noise))
    return trimmed(moved.swapaxes(0, 1).reshape(outputs, -1), on)


@cache
def _rising(count: int, home: Home) -> Array:
    return arrays.at(home, np.arange(count, dtype=np.float32) / np.float32(count))
