"""Measures of finished audio, in which the gates are stated; their methods share nothing with the synth.

Audio is ``[ear, frame]`` with ±1 as full scale. Loudness is ITU-R BS.1770-4 (pyloudnorm; our own code, tested
against it, for what it does not offer), loudness range is EBU Tech 3342. Long recordings are processed in
pieces, so that ten minutes fit in memory.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy import signal

Audio = NDArray[np.float32] | NDArray[np.float64]
Curve = NDArray[np.float64]

LSB: Final = 1 / 32768
_PIECE_FRAMES: Final = 1 << 18
# The default of resample_poly takes 0.2 dB off a peak whose spectrum is flat to 0.9 of the band.
_TO_FOURFOLD: Final = signal.firwin(8 * 32 + 1, 1 / 4, window=("kaiser", 8.0))
_OTHER_PLACES: Final = 13  # prime: no place is a simple share of a chunk
_TENTHS: Final = 10  # loudness is read ten times a second


def from_pcm(pcm: bytes) -> NDArray[np.float32]:
    """Interleaved 16-bit little-endian stereo as ``[ear, frame]``."""
    return np.ascontiguousarray(np.frombuffer(pcm, "<i2").reshape(-1, 2).T, dtype=np.float32) * np.float32(
        LSB
    )


def decibels(power_ratio: float) -> float:
    """10 log10; minus infinity for 0."""
    return 10 * float(np.log10(power_ratio)) if power_ratio > 0 else -np.inf


# -- Loudness and level


def integrated_lufs(audio: Audio, rate_hz: int) -> float:
    """Gated loudness of the whole programme, by pyloudnorm."""
    return float(pyloudnorm.Meter(rate_hz).integrated_loudness(np.asarray(audio, dtype=np.float64).T))


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """The two filters of BS.1770 as second-order sections, for any sample rate (B. De Man's formulas)."""
    shelf_gain = 10 ** (3.999843853973347 / 20)
    mid = shelf_gain**0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    a0 = 1 + k / q + k * k
    head = [shelf_gain + mid * k / q + k * k, 2 * (k * k - shelf_gain), shelf_gain - mid * k / q + k * k]
    shelf = [*(b / a0 for b in head), 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    k, q = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1, -2, 1, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def loudness_curve(audio: Audio, rate_hz: int, window_s: float = 3.0) -> Curve:
    """Loudness in LUFS over windows of ``window_s``, one every tenth of a second (3 s: short-term)."""
    sections, tenth = k_weighting(rate_hz), rate_hz // _TENTHS
    state = np.zeros((2, audio.shape[0], 2))
    powers = []
    for start in range(0, audio.shape[1] - tenth + 1, tenth):
        heard, state = signal.sosfilt(sections, audio[:, start : start + tenth], axis=1, zi=state)
        powers.append((heard**2).mean(axis=1).sum())
    sums = np.concatenate([[0.0], np.cumsum(powers)])
    count = round(window_s * _TENTHS)
    return -0.691 + 10 * np.log10(np.maximum((sums[count:] - sums[:-count]) / count, 1e-12))


def loudness_range_lu(audio: Audio, rate_hz: int) -> float:
    """EBU Tech 3342: the 10th to the 95th percentile of short-term loudness, gated at -70 LUFS and -20 LU."""
    loudness = loudness_curve(audio, rate_hz)
    loudness = loudness[loudness >= -70]
    gate = 10 * np.log10(np.mean(10 ** (loudness / 10))) - 20
    low, high = np.percentile(loudness[loudness >= gate], [10, 95])
    return float(high - low)


def true_peak_db(audio: Audio) -> float:
    """The highest peak in dBTP, by fourfold oversampling with 64 frames of sinc: flat to 0.95 of the band."""
    overlap, largest = 64, 0.0
    padded = np.pad(audio, ((0, 0), (overlap, overlap)))
    for start in range(0, audio.shape[1], _PIECE_FRAMES):
        piece = padded[:, start : start + _PIECE_FRAMES + 2 * overlap].astype(np.float64)
        dense = signal.resample_poly(piece, 4, 1, axis=1, window=_TO_FOURFOLD)
        # The filter rings where a piece is cut off.
        largest = max(largest, float(np.abs(dense[:, 4 * overlap : -4 * overlap]).max()))
    return decibels(largest**2)


def crest_db(audio: Audio) -> float:
    """The largest sample relative to the RMS of both ears, in dB."""
    return decibels(float(np.abs(audio).max()) ** 2 / _power(audio))


def dc_dbfs(audio: Audio) -> float:
    """The level of the mean (DC) of the worse ear."""
    return decibels(float(np.abs(audio.mean(axis=1, dtype=np.float64)).max()) ** 2)


def _power(audio: Audio) -> float:
    return float(
        np.mean([np.dot(ear.astype(np.float64), ear.astype(np.float64)) / ear.size for ear in audio])
    )


# -- Clicks and gaps


class Borders(NamedTuple):
    """How rough chunk borders are compared with their surroundings.

    ``mean_rank`` is the mean share of neighbouring places that a border is rougher than: 0.5 if borders are
    like any other place. ``rank_deviation`` is its distance from 0.5 in standard deviations. ``step_db`` is
    the largest step between frames at borders, relative to the largest one anywhere else.
    """

    mean_rank: float
    rank_deviation: float
    step_db: float


def borders(audio: Audio, chunk_frames: int) -> Borders:
    """Compare the frames across chunk borders with the frames up to 400 before and after.

    Roughness is the energy of the fourth difference over four frames: music has little of it, a break in
    the waveform, its slope or its curvature has much. A tone with nearly a whole number of cycles per chunk
    (440 Hz has 44) meets many borders at the same phase. So the standard deviation is taken from other places
    that lie a chunk apart, if it is larger there than chance explains.
    """
    mean_rank, by_chance = _mean_rank(audio, chunk_frames)
    shifts = [chunk_frames * place // _OTHER_PLACES for place in range(1, _OTHER_PLACES)]
    elsewhere = [_mean_rank(audio[:, shift:], chunk_frames)[0] for shift in shifts]
    steps = np.abs(np.diff(audio, axis=1))
    at_borders = float(steps[:, chunk_frames - 1 :: chunk_frames].max())
    steps[:, chunk_frames - 1 :: chunk_frames] = 0
    expected = max(by_chance, float(np.sqrt(np.mean((np.array(elsewhere) - 0.5) ** 2))))
    step_db = decibels((at_borders / float(steps.max())) ** 2)
    return Borders(mean_rank, (mean_rank - 0.5) / expected, step_db)


def _mean_rank(audio: Audio, chunk_frames: int) -> tuple[float, float]:
    """The mean rank of all borders, and its standard deviation if they were independent."""
    ranks = [rank for ear in audio for rank in _border_ranks(ear, chunk_frames)]
    return float(np.mean(ranks)), float(np.sqrt(1 / 12 / len(ranks)))


def _border_ranks(ear: Audio, chunk_frames: int) -> Iterator[float]:
    for border in range(chunk_frames, ear.size - 404, chunk_frames):
        around = ear[border - 404 : border + 404].astype(np.float64)
        # Differences 400 to 403 reach across the border: the hundredth group of four.
        rough = (np.diff(around, 4) ** 2).reshape(-1, 4).sum(axis=1)
        others = np.delete(rough, 100)
        yield float(((others < rough[100]) + 0.5 * (others == rough[100])).mean())


def click_frames(audio: Audio, times: float = 20.0) -> list[int]:
    """Frames whose second difference is over ``times`` the median of the liveliest 1.5 ms nearby.

    Ten minutes of Gaussian noise stay below 9 times; up to 4 LSB counts as dither.
    """
    found: set[int] = set()
    for ear in audio:
        bend = np.abs(np.diff(ear.astype(np.float64), 2))
        bend = bend[: bend.size // 64 * 64].reshape(-1, 64)
        padded = np.pad(np.median(bend, axis=1), 1, mode="edge")
        nearby = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
        outliers = np.flatnonzero(bend > np.maximum(times * nearby, 4 * LSB)[:, None])
        found.update((outliers + 1).tolist())
    return sorted(found)


def longest_silence_s(audio: Audio, rate_hz: int, below: float = 2.5 * LSB) -> float:
    """The longest stretch in which neither ear exceeds ±``below``, by default that of dithered silence."""
    loud = np.flatnonzero((np.abs(audio) > below).any(axis=0))
    edges = np.concatenate([[-1], loud, [audio.shape[1]]])
    return float((np.diff(edges).max() - 1) / rate_hz)


# -- Stereo


def stereo_correlation(audio: Audio) -> float:
    """Pearson's correlation of left and right."""
    return float(np.corrcoef(audio.astype(np.float64))[0, 1])


def mono_loss_db(audio: Audio) -> float:
    """The loss of ``(left + right) / 2`` against the mean power of both: 0 for mono, 3 for unrelated ears."""
    return decibels(_power(audio)) - decibels(_power(audio.mean(axis=0, keepdims=True)))


# -- Spectrum


def spectrum(audio: Audio, rate_hz: int) -> tuple[Curve, Curve]:
    """Frequencies (Hz) and the mean power density of both ears (Welch, 8192 frames)."""
    freq_hz, ears = signal.welch(audio, rate_hz, nperseg=8192, axis=1)
    return freq_hz.astype(np.float64), ears.mean(axis=0).astype(np.float64)


def power_centroid_hz(audio: Audio, rate_hz: int) -> float:
    """The mean frequency, weighted by power; weighted by magnitude, noise would dominate it."""
    freq_hz, density = spectrum(audio, rate_hz)
    return float((freq_hz * density).sum() / density.sum())


def slope_db_per_octave(audio: Audio, rate_hz: int, low_hz: float = 100, high_hz: float = 8000) -> float:
    """The slope of a line through the third-octave means of the power density: white 0, pink -3."""
    freq_hz, density = spectrum(audio, rate_hz)
    edges = np.log2(low_hz) + np.arange(0, 3 * np.log2(high_hz / low_hz) + 0.5) / 3
    octave = np.log2(np.maximum(freq_hz, 1))
    inside = [(octave >= low) & (octave < high) for low, high in pairwise(edges)]
    levels = [10 * np.log10(density[band].mean()) for band in inside]
    return float(np.polyfit(edges[:-1] + 1 / 6, levels, 1)[0])
