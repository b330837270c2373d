from math import exp

import pytest

from services.composer.weighing import tilted


@pytest.mark.parametrize("weight", [1, 700, 120_000])
@pytest.mark.parametrize("millionths", [-900_000, 0, 640_000])
def test_a_tilt_is_an_exponential(weight, millionths):
    assert tilted(weight, millionths) == pytest.approx(weight * exp(millionths / 1e6), abs=1.001)


def test_a_temperature_flattens():
    hot = [tilted(weight, 0, 1150) for weight in (1000, 100_000)]
    cold = [tilted(weight, 0, 850) for weight in (1000, 100_000)]
    assert hot[1] / hot[0] < 100 < cold[1] / cold[0]


def test_what_is_impossible_stays_impossible():
    assert tilted(0, 500_000) == 0
