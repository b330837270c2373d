"""The last protection before 16 bit: a stereo-linked limiter with look-ahead and finite memory.

The gain is set at the borders of blocks of :data:`BLOCK_FRAMES` and is linear between them. A block whose
true peak ``p`` is over the ceiling ``c`` calls for the reduction ``1 - c/p``, from which

    released[b]  = max over 0 <= j < R of  reduction[b - j] * (1 + cos(pi j / R)) / 2
    held[b]      = max over 0 <= j <= A of released[b + j]
    gain[border] = 1 - sum over 1 <= k <= A of hann[k] * held[border - k]

Every ``held`` in that sum covers both blocks at the border, so the gain suffices for every frame by
construction. It falls over the ``A`` blocks before a peak and is exactly 1 again ``R`` blocks after the peak.
(Hold, then smooth by a finite window: G. Luff, "Designing a straightforward limiter", Signalsmith 2022.)

Nothing is recursive, and the blocks divide the chunks of both sample rates: three chunks of past give the
same bits for a chunk as the whole signal does. All of it is products, maxima and sums in a fixed order;
logarithms, whose last bits differ from machine to machine, are avoided.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp.arrays import Float64Array

CEILING: Final = 10 ** (-1.5 / 20)
BLOCK_FRAMES: Final = 15
# The last block of a chunk is judged one block late: its true peak needs the frames that follow.
_ATTACK_BLOCKS: Final = 17
# The output's latency: 6.1 ms at 44.1 kHz, 5.6 ms at 48 kHz.
LOOKAHEAD_FRAMES: Final = (_ATTACK_BLOCKS + 1) * BLOCK_FRAMES
# The past that a chunk depends on: the release of 250 ms and the look-ahead twice.
HISTORY_CHUNKS: Final = 3
_RELEASE_CHUNKS: Final = 2.5

# Interpolation a quarter, half and three quarters of the way from a frame to the next, from four frames on
# either side. The sinc is hardly windowed: noise up to 20 kHz then stays under -1.3 dBTP by a long sharp
# meter, noise up to the last hertz under -0.7. Twice the frames gain 0.3 dB there and nothing on music;
# midpoints alone miss peaks by 4 dB.
_REACH: Final = 4
_AWAY: Final = np.arange(1 - _REACH, 1 + _REACH) - np.array([[0.25], [0.5], [0.75]])
_SINC: Final = np.sinc(_AWAY) * np.i0(np.sqrt(1 - (_AWAY / _REACH) ** 2))
_BETWEEN: Final = _SINC / _SINC.sum(axis=1, keepdims=True)
# No value between frames exceeds _GAIN_BOUND times the largest frame around it. Nor, as the weights differ
# from the weights of a straight line by sums of second differences, does it exceed that frame plus
# _BEND_BOUND times the largest second difference.
_GAIN_BOUND: Final = 1.001 * float(np.abs(_BETWEEN).sum(axis=1).max())
_LINE: Final = np.maximum(1 - np.abs(_AWAY), 0)
_BEND_BOUND: Final = 1.001 * float(np.abs((_BETWEEN - _LINE).cumsum(axis=1).cumsum(axis=1)).sum(axis=1).max())
# Releases are computed for this many loud blocks at a time: the products stay in the cache.
_AT_ONCE: Final = 64


class Mix(NamedTuple):
    """A chunk as it goes into the limiter: ``[ear, F]`` with ±1 as full scale, and its largest magnitude."""

    samples: NDArray[np.float32]
    largest: float


def mix_of(samples: NDArray[np.float32]) -> Mix:
    """A chunk with its largest magnitude, found once for the four output chunks that it affects."""
    return Mix(samples, _largest(samples))


def limit(mixes: Sequence[Mix], audio: AudioFormat) -> NDArray[np.float32]:
    """The newest of ``mixes``, :data:`LOOKAHEAD_FRAMES` late and nowhere over the ceiling: ``[ear, F]``.

    ``mixes`` are the chunks ``n - HISTORY_CHUNKS ... n``; ``F`` is the length of a chunk of ``audio``. Where
    nothing was too loud for 250 ms, samples pass unchanged.
    """
    *_, before, newest = (mix.samples for mix in mixes)
    late = np.concatenate([before[:, -LOOKAHEAD_FRAMES:], newest[:, :-LOOKAHEAD_FRAMES]], axis=1)
    loudest = max(mix.largest for mix in mixes)
    if loudest * _GAIN_BOUND < CEILING:
        return late
    samples = np.concatenate([mix.samples for mix in mixes], axis=1)
    harmless = _harmless(samples)
    if loudest < harmless:
        return late
    reduction = 1.0 - CEILING / np.maximum(_true_peaks(samples, harmless), CEILING)
    if reduction.any():
        late *= _lines(_borders(reduction, audio.frames_per_chunk // BLOCK_FRAMES))
    return late


def _largest(samples: NDArray[np.float32]) -> float:
    return max(float(samples.max()), -float(samples.min()))


def _harmless(samples: NDArray[np.float32]) -> float:
    """The magnitude below which frames have no value between them that is over the ceiling."""
    slopes = samples[:, 1:] - samples[:, :-1]
    bend = _largest(slopes[:, 1:] - slopes[:, :-1])
    return max(CEILING / _GAIN_BOUND, CEILING - _BEND_BOUND * bend)


def _true_peaks(samples: NDArray[np.float32], harmless: float) -> Float64Array:
    """The largest magnitude of both ears in each block but the last, between frames too: ``[block]``.

    ``samples`` is ``[ear, frame]``, whole blocks. The first block is judged by its frames alone; it is too
    early to affect this chunk.
    """
    louder = np.maximum(np.abs(samples[0]), np.abs(samples[1]))
    # Maxima over rows: along the last axis they take seven times as long.
    peaks = np.ascontiguousarray(louder.reshape(-1, BLOCK_FRAMES).T).max(axis=0)
    loud = peaks >= harmless
    near = np.flatnonzero(loud[:-2] | loud[1:-1] | loud[2:]) + 1
    around = sliding_window_view(samples, BLOCK_FRAMES + 2 * _REACH - 1, axis=1)
    windows = around[:, near * BLOCK_FRAMES + 1 - _REACH].transpose(2, 0, 1)
    peaks[near] = np.maximum(peaks[near], _between(np.ascontiguousarray(windows)))
    judged: Float64Array = peaks[:-1].astype(np.float64)
    return judged


def _between(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest magnitude between the frames of each block: ``windows`` is ``[frame, ear, block]``."""
    largest = np.zeros(windows.shape[2], dtype=np.float32)
    for weights in _BETWEEN.astype(np.float32):
        value = weights[0] * windows[:BLOCK_FRAMES]
        for tap in range(1, 2 * _REACH):
            value += weights[tap] * windows[tap : tap + BLOCK_FRAMES]
        np.maximum(largest, np.abs(value).max(axis=(0, 1)), out=largest)
    return largest


def _borders(reduction: Float64Array, blocks: int) -> Float64Array:
    """The gains at the ``blocks + 1`` borders of the output, from the ``reduction`` of all blocks."""
    released = _released(reduction, blocks + 2 * _ATTACK_BLOCKS, int(_RELEASE_CHUNKS * blocks))
    held = sliding_window_view(released, blocks + _ATTACK_BLOCKS).max(axis=0)
    weighted = sliding_window_view(held, blocks + 1) * _smoothing()
    gains: Float64Array = 1.0 - weighted.sum(axis=0)
    return gains


def _released(reduction: Float64Array, count: int, release: int) -> Float64Array:
    """The reductions of the last ``count`` blocks, including the releases of the blocks before them."""
    recent = reduction[-(count + release - 1) :]
    released = recent[-count:].copy()
    # A block followed by one at least as loud affects nothing but itself.
    decisive = np.flatnonzero(recent[:-1] > recent[1:])
    for some in np.split(decisive, range(_AT_ONCE, decisive.size, _AT_ONCE)):
        asked = _releases(count, release)[some] * recent[some, None]
        np.maximum(released, asked.max(axis=0, initial=0.0), out=released)
    return released


@cache
def _releases(count: int, release: int) -> Float64Array:
    """The share of each recent block's reduction left in each of the last ``count``: ``[recent, last]``."""
    falling = (1 + np.cos(np.pi * np.arange(release) / release)) / 2
    return sliding_window_view(np.pad(falling, count - 1), count)[::-1]


@cache
def _smoothing() -> Float64Array:
    window = np.hanning(_ATTACK_BLOCKS + 2)[1:-1]
    smoothing: Float64Array = window / window.sum()
    return smoothing[:, None]


def _lines(borders: Float64Array) -> NDArray[np.float32]:
    """The gain of every frame, linear from border to border."""
    rising = (np.arange(BLOCK_FRAMES) + 0.5) / BLOCK_FRAMES
    lines = borders[:-1, None] + (borders[1:] - borders[:-1])[:, None] * rising
    return lines.astype(np.float32).reshape(-1)
