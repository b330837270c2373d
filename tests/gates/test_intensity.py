"""The gate of intensity: from 0 to 1 the music grows brighter, denser, louder and deeper in its breath."""

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

import pytest

from tests.gates import measures
from tests.gates.pieces import composed_and_rendered

# Half an hour of audio a seed: one is what a test run has time for.
SEEDS: Final = tuple(map(int, os.environ.get("AURALIS_GATE_SEEDS", "1").split()))
LEVELS: Final = (0.0, 0.5, 1.0)
# Loudness range is a matter of sections and swells: of four minutes it is mostly chance.
MINUTES: Final = 10.0
RATE_HZ: Final = 44_100
MOST_LU: Final = 6.0

pytestmark = pytest.mark.timeout(900)


class Level(NamedTuple):
    """What a piece measures at one level: not its ten minutes of audio, which fill memory."""

    centroid_hz: float
    onsets: int
    loudness_lufs: float
    range_lu: float


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def levels(request: pytest.FixtureRequest) -> list[Level]:
    """The same seed at each level."""
    return [_measured(request.param, intensity) for intensity in LEVELS]


def _measured(seed: int, intensity: float) -> Level:
    of = composed_and_rendered(seed, MINUTES, intensity)
    return Level(
        measures.power_centroid_hz(of.audio, RATE_HZ),
        len(of.onsets_s()),
        measures.integrated_lufs(of.audio, RATE_HZ),
        measures.loudness_range_lu(of.audio, RATE_HZ),
    )


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(lambda level: level.centroid_hz, id="brightness"),
        pytest.param(lambda level: level.onsets, id="density"),
        pytest.param(lambda level: level.loudness_lufs, id="loudness"),
        pytest.param(lambda level: level.range_lu, id="loudness range"),
    ],
)
def test_it_rises_with_intensity(levels: list[Level], figure: Callable[[Level], float]) -> None:
    """Power-weighted centroid, notes, LUFS (BS.1770) and LU (EBU Tech 3342): from level to level."""
    assert all(figure(more) > figure(less) for less, more in pairwise(levels))


def test_brightness_and_density_rise_by_much(levels: list[Level]) -> None:
    """A fifth brighter and half as many notes again, at the least."""
    assert levels[-1].centroid_hz > 1.2 * levels[0].centroid_hz
    assert levels[-1].onsets > 1.5 * levels[0].onsets


def test_loudness_does_not_jump(levels: list[Level]) -> None:
    """By less than 6 LU."""
    assert all(more.loudness_lufs - less.loudness_lufs < MOST_LU for less, more in pairwise(levels))
