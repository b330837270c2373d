"""The gate of intensity: from 0 to 1 the music grows brighter, denser, louder and deeper in its breath."""

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

# As seed@rate; half an hour of audio each: two are what a test run has time for.
PIECES: Final = tuple(os.environ.get("AURALIS_GATE_INTENSITY", "1@44100 2@48000").split())
LEVELS: Final = (0.0, 0.5, 1.0)
# Loudness range is a matter of sections and swells: of four minutes it is mostly chance.
MINUTES: Final = 10.0
MOST_LU: Final = 6.0

pytestmark = pytest.mark.timeout(900)


class Level(NamedTuple):
    """What a piece measures at one level: not its ten minutes of audio, which fill memory."""

    centroid_hz: float
    onsets: int
    loudness_lufs: float
    range_lu: float


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, float], Level]:
    """All pieces at all levels, by as many processes as there are cores."""
    wanted = [(name, intensity) for name in PIECES for intensity in LEVELS]
    spawn = multiprocessing.get_context("spawn")  # torch's threads don't survive a fork
    with ProcessPoolExecutor(cores(), mp_context=spawn) as pool:
        return dict(zip(wanted, pool.map(_measured, *zip(*wanted, strict=True)), strict=True))


@pytest.fixture(params=PIECES)
def levels(request: pytest.FixtureRequest, measured: dict[tuple[str, float], Level]) -> list[Level]:
    """The same seed at each level."""
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
    """Power-weighted centroid, notes, LUFS (BS.1770) and LU (EBU Tech 3342): from level to level."""
    assert all(figure(more) > figure(less) for less, more in pairwise(levels))


def test_brightness_and_density_rise_by_much(levels: list[Level]) -> None:
    """A fifth brighter and half as many notes again, at the least."""
    assert levels[-1].centroid_hz > 1.2 * levels[0].centroid_hz
    assert levels[-1].onsets > 1.5 * levels[0].onsets


def test_loudness_does_not_jump(levels: list[Level]) -> None:
    """By less than 6 LU."""
    assert all(more.loudness_lufs - less.loudness_lufs < MOST_LU for less, more in pairwise(levels))
