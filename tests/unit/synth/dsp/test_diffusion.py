"""Bursts: short, flat, of unit energy."""

import numpy as np
import pytest

from services.synth.dsp import diffusion


@pytest.mark.parametrize("frames", [154, 176, 384])
def test_a_burst_has_no_colour(frames: int) -> None:
    """Its spectrum is flat within 1 dB (rms), where plain noise of that length varies by 5 dB."""
    for seed in range(5):
        spectrum = np.fft.rfft(diffusion.burst(np.random.default_rng(seed), frames), 4096)
        assert np.std(20 * np.log10(np.abs(spectrum))) < 1.0


def test_a_burst_has_unit_energy_most_of_it_early() -> None:
    """More than half of the energy lies in the first 40 %."""
    noise = diffusion.burst(np.random.default_rng(1), 200)
    assert np.sum(noise**2) == pytest.approx(1.0)
    assert np.sum(noise[:80] ** 2) > 0.5


def test_a_burst_is_not_a_click() -> None:
    """No single frame holds a quarter of the energy."""
    noise = diffusion.burst(np.random.default_rng(2), 200)
    assert np.max(noise**2) < 0.25


def test_two_bursts_of_one_sequence_differ() -> None:
    """Echoes are not copies of each other."""
    random = np.random.default_rng(3)
    assert abs(np.dot(diffusion.burst(random, 200), diffusion.burst(random, 200))) < 0.5
