"""The measure of roughness, against tones whose roughness is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.gates.roughness import dissonance, peaks, roughness

RATE_HZ = 44_100
SECONDS = np.arange(4 * RATE_HZ) / RATE_HZ


def tones(*freq_hz: float) -> NDArray:
    """Equal tones in both ears."""
    one = np.sum([0.1 * np.sin(2 * np.pi * f * SECONDS + f) for f in freq_hz], axis=0)
    return np.stack([one, one])


def test_partials_are_found_where_they_are() -> None:
    """Within a tenth of a hertz and 1 dB, wherever they lie between two bins."""
    freq_hz, amplitude = peaks(tones(441.3, 1000.0, 2500.7)[0, :16_384], RATE_HZ)
    assert freq_hz == pytest.approx([441.3, 1000.0, 2500.7], abs=0.1)
    assert 20 * np.log10(amplitude / 0.1) == pytest.approx([0, 0, 0], abs=1)


def test_one_tone_and_wide_intervals_are_smooth() -> None:
    assert roughness(tones(440.0), RATE_HZ) < 0.01
    assert roughness(tones(440.0, 880.0, 1760.0), RATE_HZ) < 0.02


def test_noise_does_not_count_as_tones() -> None:
    """A tone in white noise of its level is nearly as smooth as alone: the noise's peaks do not count."""
    noise = 0.07 * np.random.default_rng(3).standard_normal((2, SECONDS.size))
    assert roughness(tones(440.0) + noise, RATE_HZ) < 0.02


def test_a_minor_second_is_rough_and_a_fifth_is_not() -> None:
    """Around middle C a semitone is about the roughest interval of two tones (Plomp and Levelt 1965)."""
    second, third, fifth = (roughness(tones(262.0, 262.0 * 2 ** (n / 12)), RATE_HZ) for n in (1, 4, 7))
    assert second > 2 * third > 4 * fifth


def test_two_tones_are_roughest_a_quarter_of_a_critical_band_apart() -> None:
    """The critical band around 1 kHz is 160 Hz wide (Zwicker 1961)."""
    distances = np.arange(5, 200, 1.0)
    found = [dissonance(np.array([1000.0, 1000.0 + d]), np.ones(2)) for d in distances]
    assert 25 <= distances[int(np.argmax(found))] <= 55


def test_the_level_does_not_count() -> None:
    loud = tones(262.0, 290.0, 330.0)
    assert roughness(0.01 * loud, RATE_HZ) == pytest.approx(roughness(loud, RATE_HZ), rel=1e-3)


def test_a_tail_does_not_count() -> None:
    """Two seconds of a fifth, then two of a semitone that is more than 30 dB quieter."""
    audio = tones(262.0, 393.0)
    tail = audio.copy()
    tail[:, 2 * RATE_HZ :] = 0.01 * tones(262.0, 277.0)[:, 2 * RATE_HZ :]
    assert roughness(tail, RATE_HZ) == pytest.approx(roughness(audio, RATE_HZ), abs=0.05)
