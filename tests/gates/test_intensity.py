"""The gate of intensity: from 0 to 1 the music grows brighter, denser, louder and wider in loudness range."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Final, NamedTuple

import pytest

from services.offline.rendering import cores
from tests.gates import measures
from tests.gates.pieces import composed_and_rendered

# As seed@rate; half an hour of audio each: a test run has time for two.
PIECES: Final = tuple(os.environ.get("AURALIS_GATE_INTENSITY", "1@44100 2@48000").split())
LEVELS: Final = (0.0, 0.5, 1.0)
# Loudness range depends on sections and swells: over four minutes it is mostly chance.
MINUTES: Final = 10.0
MOST_LU: Final = 6.0

pytestmark = pytest.mark.timeout(900)


class Level(NamedTuple):
    """The measures of a piece at one intensity, without its ten minutes of audio, which would fill memory."""

    centroid_hz: float
    onsets: int
    loudness_lufs: float
    range_lu: float


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, float], Level]:
    """All pieces at all intensities, measured by one process per core."""
    wanted = [(name, intensity) for name in PIECES for intensity in LEVELS]
    spawn = multiprocessing.get_context("spawn")  # torch's threads don't survive a fork
    with ProcessPoolExecutor(cores(), mp_context=spawn) as pool:
        return dict(zip(wanted, pool.map(_measured, *zip(*wanted, strict=True)), strict=True))


@pytest.fixture(params=PIECES)
def levels(request: pytest.FixtureRequest, measured: dict[tuple[str, float], Level]) -> list[Level]:
    """The measures of one seed at each intensity."""
    return [measured[request.param, intensity] for intensity in LEVELS]


def _measured(name: str, intensity: float) -> Level:
    seed, rate_hz = map(int, name.split("@"))
    of = composed_and_rendered(seed, MINUTES, intensity, rate_hz)
    return Level(
        measures.power_centroid_hz(of.audio, rate_hz),
        len(of.onsets_s()),
        measures.integrated_lufs(of.audio, rate_hz),
        measures.loudness_range_lu(of.audio, rate_hz),
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
    """Power-weighted centroid, notes, LUFS (BS.1770) and LU (EBU Tech 3342) rise at each step."""
    assert all(figure(more) > figure(less) for less, more in pairwise(levels))


def test_brightness_and_density_rise_substantially(levels: list[Level]) -> None:
    """At least a fifth brighter, and half as many notes again."""
    assert levels[-1].centroid_hz > 1.2 * levels[0].centroid_hz
    assert levels[-1].onsets > 1.5 * levels[0].onsets


def test_loudness_does_not_jump(levels: list[Level]) -> None:
    """It changes by less than 6 LU at each step."""
    assert all(more.loudness_lufs - less.loudness_lufs < MOST_LU for less, more in pairwise(levels))
