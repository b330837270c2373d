"""Frequency responses of filters, for designs made in the frequency domain.

Second-order filters are bilinear transforms of analogue ones, so a response multiplied by them stays causal.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp.arrays import Float64Array

Frequencies = Float64Array
Gains = NDArray[np.complex128]

_BUTTERWORTH_Q: Final = 2**-0.5
# ITU-R BS.1770 in analogue terms (De Man 2018): a shelf for the head, then a high-pass.
_SHELF_HZ: Final = 1681.974450955533
_SHELF_Q: Final = 0.7071752369554196
_SHELF_DB: Final = 3.999843853973347
_SHELF_MIDDLE: Final = 0.4996667741545416
_RLB_HZ: Final = 38.13547087602444
_RLB_Q: Final = 0.5003270373238773


def frequencies(frames: int, rate_hz: int) -> Frequencies:
    """The frequencies of the bins of a transform of ``frames`` real samples."""
    return np.arange(frames // 2 + 1, dtype=np.float64) * (rate_hz / frames)


def low_pass(freq_hz: Frequencies, cutoff_hz: float, rate_hz: int) -> Gains:
    """Butterworth, 12 dB an octave above ``cutoff_hz``, at ``freq_hz`` below half of ``rate_hz``."""
    return _second_order(_laplace(freq_hz, cutoff_hz, rate_hz), (0.0, 0.0, 1.0), _BUTTERWORTH_Q)


def high_pass(freq_hz: Frequencies, cutoff_hz: float, rate_hz: int) -> Gains:
    """Butterworth, 12 dB an octave below ``cutoff_hz``, at ``freq_hz`` up to half of ``rate_hz``."""
    return _second_order(_laplace(freq_hz, cutoff_hz, rate_hz), (1.0, 0.0, 0.0), _BUTTERWORTH_Q)


def band_end(freq_hz: Frequencies, from_hz: float, to_hz: float) -> Float64Array:
    """1 up to ``from_hz``, exactly 0 from ``to_hz`` on: a limited band is cheaper to convolve.

    It rings for about ``2 / (to_hz - from_hz)`` seconds, before as well as after.
    """
    position = np.clip((freq_hz - from_hz) / (to_hz - from_hz), 0.0, 1.0)
    edge: Float64Array = (1 + np.cos(np.pi * position)) / 2
    return edge


def k_weighting(freq_hz: Frequencies, rate_hz: int) -> Gains:
    """The K-weighting of loudness (ITU-R BS.1770) at each frequency."""
    top = 10 ** (_SHELF_DB / 20)
    numerator = (top, top**_SHELF_MIDDLE / _SHELF_Q, 1.0)
    shelf = _second_order(_laplace(freq_hz, _SHELF_HZ, rate_hz), numerator, _SHELF_Q)
    return shelf * _second_order(_laplace(freq_hz, _RLB_HZ, rate_hz), (1.0, 0.0, 0.0), _RLB_Q)


def _laplace(freq_hz: Frequencies, corner_hz: float, rate_hz: int) -> Gains:
    """The analogue frequency (1j at the corner) that the bilinear transform maps to each of ``freq_hz``."""
    laplace: Gains = 1j * np.tan(np.pi * freq_hz / rate_hz) / np.tan(np.pi * corner_hz / rate_hz)
    return laplace


def _second_order(s: Gains, numerator: tuple[float, float, float], q: float) -> Gains:
    square, middle, constant = numerator
    gains: Gains = (square * s * s + middle * s + constant) / (s * s + s / q + 1)
    return gains
