"""Vowels: peaks where singers have them, equal power, growing brightness from u to a."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.synth.voices import formants

FINE_HZ = np.arange(100.0, 5000.0, 5.0)
OO, OH, AH = range(3)


def peaks_hz(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = (levels[1:-1] > levels[:-2]) & (levels[1:-1] > levels[2:])
    return np.asarray(FINE_HZ[1:-1][inside])


@pytest.mark.parametrize(
    ("f0_hz", "vowel", "first_hz", "second_hz"),
    [
        (110, AH, 600, 1040),
        (200, AH, 650, 1080),
        (200, OH, 400, 800),
        (300, AH, 800, 1150),
        (600, OO, 325, 700),
    ],
)
def test_the_first_formants_are_where_singers_have_them(
    f0_hz: float, vowel: int, first_hz: float, second_hz: float
) -> None:
    """Bass, tenor, alto and soprano: first and second formant within 5 % of the published ones."""
    found = peaks_hz(formants.levels_db(f0_hz, FINE_HZ, 1.0)[:, vowel])
    assert found[:2] == pytest.approx([first_hz, second_hz], rel=0.05)


@pytest.mark.parametrize("f0_hz", [98.0, 196.0, 330.0, 660.0])
def test_vowels_have_the_same_power(f0_hz: float) -> None:
    """For partials that fall as a voice's do, moving between vowels changes colour, not loudness."""
    freq_hz = f0_hz * np.arange(1, 25)
    power = np.sum(10 ** (formants.levels_db(f0_hz, freq_hz, 1.0) / 10) * freq_hz[:, None] ** -0.7, axis=0)
    assert 10 * np.log10(power / power[AH]) == pytest.approx(np.zeros(3), abs=1e-6)


@pytest.mark.parametrize("f0_hz", [98.0, 196.0, 330.0, 660.0])
def test_vowels_open_from_u_to_a(f0_hz: float) -> None:
    """The centroid rises from u over o to a in every voice."""
    freq_hz = f0_hz * np.arange(1, 25)
    power = 10 ** (formants.levels_db(f0_hz, freq_hz, 1.0) / 10) / freq_hz[:, None]
    centroid = np.sum(power * freq_hz[:, None], axis=0) / np.sum(power, axis=0)
    assert list(np.argsort(centroid)) == [OO, OH, AH]


def test_without_a_tract_nothing_is_shaped() -> None:
    """Formants of strength 0 leave every partial unchanged."""
    assert np.ptp(formants.levels_db(200.0, FINE_HZ, 0.0)) == pytest.approx(0.0)
