"""Left and right."""

import numpy as np
import pytest

from services.synth.dsp.stereo import diffuse_coherence, equal_power


def test_every_position_is_equally_loud() -> None:
    """Hard left and hard right are one ear alone, the centre is both at -3 dB."""
    gains = equal_power(np.linspace(-1, 1, 41))
    assert (gains**2).sum(axis=-1) == pytest.approx(np.ones(41))
    assert gains[[0, 20, 40]] == pytest.approx(np.array([[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]]))
    assert equal_power(0.0).shape == (2,)


def test_ears_share_the_bass_and_nothing_above_the_first_zero() -> None:
    """The diffuse field's sinc at 22 cm: 1 at 0 Hz, 0 from 780 Hz on."""
    coherence = diffuse_coherence(np.array([0.0, 125.0, 500.0, 780.0, 1000.0, 9000.0]))
    assert coherence[0] == 1
    assert coherence[1] == pytest.approx(0.96, abs=0.01)
    assert coherence[2] == pytest.approx(0.45, abs=0.02)
    assert np.abs(coherence[3:]).max() < 1e-3
