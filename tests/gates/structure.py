"""Measures of what happens in finished audio: onsets, spectral flux, repeats. Audio is ``[ear, frame]``."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from tests.gates.measures import Audio, Curve

_HOPS_A_SECOND: Final = 100
_FRAME: Final = 2048
_PIECE_HOPS: Final = 3000
# The flux of steady noise exceeds its median by up to 0.06, in few bands at -20 dBFS by 0.12; of a pluck over
# quiet noise by 0.15 to 0.4.
_OVER: Final = 0.08


def _bands(freq_hz: Curve, low_hz: float, high_hz: float, per_octave: float) -> NDArray[np.float64]:
    """Overlapping triangles at equal distances in pitch, ``[band, frequency]``, each with sum 1."""
    count = int(np.log2(high_hz / low_hz) * per_octave)
    centre = np.log2(low_hz) + np.arange(count) / per_octave
    octave = np.log2(np.maximum(freq_hz, 1e-3))
    width = np.maximum(1 / per_octave, 1.5 * freq_hz[1] / 2**centre / np.log(2))
    triangles = np.maximum(1 - np.abs(octave - centre[:, None]) / width[:, None], 0)
    return triangles / triangles.sum(axis=1, keepdims=True)


def _band_levels(audio: Audio, rate_hz: int) -> NDArray[np.float64]:
    """Twelfth-octave bands, 60 Hz to 14 kHz, every 10 ms, as ``log10(1 + 1000 x)``: ``[hop, band]``."""
    hop = rate_hz // _HOPS_A_SECOND
    bands = _bands(np.fft.rfftfreq(_FRAME, 1 / rate_hz), 60, 14_000, 12)
    window = signal.get_window("hann", _FRAME) / (_FRAME / 4)
    mono = np.pad(audio.mean(axis=0), _FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(mono, _FRAME)[::hop]
    pieces = [frames[at : at + _PIECE_HOPS] for at in range(0, len(frames), _PIECE_HOPS)]
    return np.concatenate(
        [np.log10(1 + 1000 * np.abs(np.fft.rfft(piece * window)) @ bands.T) for piece in pieces]
    )


def spectral_flux(audio: Audio, rate_hz: int) -> Curve:
    """How much the bands' levels rose within 20 ms, read every 10 ms; 0 for the first two.

    The past is widened by a band to either side, so that vibrato and glides are no onsets (SuperFlux: Böck
    and Widmer 2013).
    """
    levels = _band_levels(audio, rate_hz)
    widened = ndimage.maximum_filter1d(levels, 3, axis=1)
    rise = np.maximum(levels[2:] - widened[:-2], 0).mean(axis=1)
    return np.concatenate([[0.0, 0.0], rise])


def onsets_s(audio: Audio, rate_hz: int, over: float = _OVER) -> list[float]:
    """The times of the flux's peaks that are ``over`` the median of the second around them."""
    flux = spectral_flux(audio, rate_hz)
    level = ndimage.median_filter(flux, _HOPS_A_SECOND, mode="nearest")
    highest = ndimage.maximum_filter1d(flux, 11, mode="nearest")
    peaks = np.flatnonzero((flux == highest) & (flux > level + over))
    return [float(peak) / _HOPS_A_SECOND for peak in peaks]


def onset_density(audio: Audio, rate_hz: int, over: float = _OVER) -> float:
    """Onsets a second."""
    return len(onsets_s(audio, rate_hz, over)) * rate_hz / audio.shape[1]


def unexplained_s(peaks_s: list[float], events_s: list[float], tolerance_s: float = 0.05) -> list[float]:
    """The peaks that are near no event: sounds that the score does not explain."""
    events = np.sort(np.array([-np.inf, *events_s, np.inf]))
    after = np.searchsorted(events, peaks_s)
    nearest = np.minimum(events[after] - peaks_s, peaks_s - events[after - 1])
    return [peak for peak, distance in zip(peaks_s, nearest, strict=True) if distance > tolerance_s]


class Repeat(NamedTuple):
    """Two similar windows, and the share of their fingerprints' bits that differ."""

    first_s: float
    again_s: float
    difference: float


_PRINTS_A_SECOND: Final = 20


def fingerprints(audio: Audio, rate_hz: int) -> NDArray[np.uint32]:
    """32 bits every 50 ms: whether the difference of neighbouring bands grows (Haitsma and Kalker 2002).

    Bands range from 100 Hz to 5 kHz; windows last 0.4 s, so a shift by half a hop changes few bits.
    """
    hop, length = rate_hz // _PRINTS_A_SECOND, int(0.4 * rate_hz)
    bands = _bands(np.fft.rfftfreq(length, 1 / rate_hz), 100, 5000, 33.5 / np.log2(50))[:33]
    mono = audio.mean(axis=0)
    frames = np.lib.stride_tricks.sliding_window_view(mono, length)[::hop]
    window = signal.get_window("hann", length)
    pieces = [frames[at : at + 200] for at in range(0, len(frames), 200)]
    energy = np.concatenate([(np.abs(np.fft.rfft(piece * window)) ** 2) @ bands.T for piece in pieces])
    grows = np.diff(np.diff(np.log(energy + 1e-9), axis=1), axis=0) > 0
    return np.packbits(grows, axis=1).view(">u4").astype(np.uint32).reshape(-1)


def closest_repeat(audio: Audio, rate_hz: int, window_s: float) -> Repeat:
    """The most similar two windows of ``window_s``, at least that far apart.

    Every pair is compared. A repeat of the same music differs in under 0.1 of the bits, other music in 0.4 to
    0.5.
    """
    return min(_repeats(audio, rate_hz, window_s), key=lambda repeat: repeat.difference)


def _repeats(audio: Audio, rate_hz: int, window_s: float) -> Iterator[Repeat]:
    prints, window = fingerprints(audio, rate_hz), round(window_s * _PRINTS_A_SECOND)
    for lag in range(window, prints.size - window + 1):
        different = np.bitwise_count(prints[lag:] ^ prints[:-lag]).cumsum(dtype=np.int64)
        in_window = _windowed(different, window)
        at = int(in_window.argmin())
        yield Repeat(
            at / _PRINTS_A_SECOND, (at + lag) / _PRINTS_A_SECOND, float(in_window[at]) / (32 * window)
        )


def _windowed(sums: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Sums over each ``window``, from running sums."""
    return np.concatenate([sums[window - 1 : window], sums[window:] - sums[:-window]])
