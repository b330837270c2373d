"""How rough a sound is: the dissonance of its partials, pair by pair. Audio is ``[ear, frame]``.

The curve is Sethares's fit to Plomp and Levelt ("Local consonance and the relationship between timbre and
scale", 1993): two tones are roughest a quarter of a critical band apart.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from tests.gates.measures import Audio, Curve

_FRAME: Final = 16_384
_FLOOR_DB: Final = -45.0  # relative to the loudest partial; below it partials are masked
# Peaks of noise stand out from it, too, by up to 11 dB, and there are hundreds: only tones are to count.
_OVER_NOISE_DB: Final = 12.0
_NEIGHBOURS: Final = 101  # bins: 270 Hz, wider than a partial with its vibrato
_QUIET_DB: Final = -30.0  # relative to the loudest frame; below it frames are tails


def peaks(frame: Audio, rate_hz: int) -> tuple[Curve, Curve]:
    """Frequencies (Hz) and amplitudes of the partials in one window of mono audio."""
    window = signal.get_window("blackmanharris", frame.size)
    magnitude = np.abs(np.fft.rfft(frame * window)) / (window.sum() / 2)
    noise = ndimage.median_filter(magnitude, _NEIGHBOURS, mode="nearest") * 10 ** (_OVER_NOISE_DB / 20)
    floor = magnitude.max() * 10 ** (_FLOOR_DB / 20)
    at, _ = signal.find_peaks(magnitude, height=np.maximum(noise, max(floor, 1e-9)))
    left, top, right = (np.log(magnitude[at + step] + 1e-12) for step in (-1, 0, 1))
    offset = 0.5 * (left - right) / (left - 2 * top + right)
    return (at + offset) * rate_hz / frame.size, magnitude[at]


def dissonance(freq_hz: Curve, amplitude: Curve) -> float:
    """The dissonance of all pairs of partials, over the sum of the amplitudes: 0 for one tone."""
    lower = np.minimum(freq_hz[:, None], freq_hz)
    distance = np.abs(freq_hz[:, None] - freq_hz) * 0.24 / (0.0207 * lower + 18.96)
    pairs = np.minimum(amplitude[:, None], amplitude) * (np.exp(-3.51 * distance) - np.exp(-5.75 * distance))
    return float(5 * pairs.sum() / 2 / amplitude.sum()) if amplitude.size else 0.0


def roughness(audio: Audio, rate_hz: int) -> float:
    """The mean dissonance over windows of 0.37 s of the mono mix; quiet windows are left out."""
    frames = _loud_frames(audio.mean(axis=0))
    return float(np.mean([dissonance(*peaks(frame, rate_hz)) for frame in frames]))


def _loud_frames(mono: Audio) -> NDArray[np.float64]:
    frames = mono[: mono.size // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    power = (frames**2).mean(axis=1)
    return frames[power > power.max() * 10 ** (_QUIET_DB / 10)]
