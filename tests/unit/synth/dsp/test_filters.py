"""The filters' responses against scipy's designs."""

import numpy as np
import pytest
from scipy.signal import butter, freqz

from services.synth.dsp import filters

RATES_HZ = [44_100, 48_000]
# ITU-R BS.1770-4, tables 1 and 2, for 48 kHz: numerator and denominator of the shelf and of the high-pass.
BS_1770 = [
    ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]),
    ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]),
]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_low_and_high_pass_are_butterworth_filters(rate_hz: int) -> None:
    """Magnitude and phase are as in scipy's second-order designs by bilinear transform."""
    freq_hz = np.geomspace(10, 0.49 * rate_hz, 300)
    for kind, design in (("low", filters.low_pass), ("high", filters.high_pass)):
        expected = freqz(*butter(2, 1000, kind, fs=rate_hz), worN=freq_hz, fs=rate_hz)[1]
        assert np.abs(design(freq_hz, 1000.0, rate_hz) - expected).max() < 1e-6


def test_k_weighting_follows_the_recommendation() -> None:
    """Within 0.01 dB of the curve that ITU-R BS.1770 prints for 48 kHz, apart from a constant 0.04 dB."""
    freq_hz = np.geomspace(20, 20_000, 300)
    expected = np.prod([freqz(*pair, worN=freq_hz, fs=48_000)[1] for pair in BS_1770], axis=0)
    error_db = 20 * np.log10(np.abs(filters.k_weighting(freq_hz, 48_000) / expected))
    assert np.ptp(error_db) < 0.01
    assert np.abs(error_db).max() < 0.05


def test_a_band_ends() -> None:
    """One below, half in the middle, exactly nothing above."""
    gains = filters.band_end(np.array([0.0, 100.0, 150.0, 200.0, 9000.0]), 100.0, 200.0)
    assert np.allclose(gains, [1, 1, 0.5, 0, 0])
    assert gains[-1] == 0.0


def test_frequencies_are_the_bins_of_the_transform() -> None:
    """Bin by bin, for even and odd lengths."""
    for frames in (8820, 4801):
        assert np.allclose(filters.frequencies(frames, 44_100), np.fft.rfftfreq(frames, 1 / 44_100))
