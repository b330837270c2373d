"""The gate of intensity: from 0 to 1 the music grows brighter, denser, louder and deeper in its breath."""

from itertools import pairwise

import numpy as np
import pytest

from tests.gates import measures
from tests.gates.pieces import Piece, piece

SEEDS = (1, 2, 3)
LEVELS = (0.0, 0.5, 1.0)
# Long enough for a few swells: the loudness range of one minute is mostly chance.
MINUTES = 4.0
RATE_HZ = 44_100
MOST_LU = 6.0

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def levels(request: pytest.FixtureRequest) -> list[Piece]:
    """The same seed at each level."""
    return [piece(request.param, MINUTES, level) for level in LEVELS]


def test_it_brightens(levels: list[Piece]) -> None:
    """The power-weighted centroid rises, by a fifth and more."""
    centroids = [measures.power_centroid_hz(of.audio, RATE_HZ) for of in levels]
    assert centroids == sorted(centroids)
    assert centroids[-1] > 1.2 * centroids[0]


def test_it_thickens(levels: list[Piece]) -> None:
    """More notes begin, half as many again and more."""
    counts = [len(of.onsets_s()) for of in levels]
    assert counts == sorted(counts)
    assert counts[-1] > 1.5 * counts[0]


def test_it_swells_from_level_to_level(levels: list[Piece]) -> None:
    """It grows louder, by less than 6 LU from level to level."""
    loudness = [measures.integrated_lufs(of.audio, RATE_HZ) for of in levels]
    assert loudness == sorted(loudness)
    assert all(b - a < MOST_LU for a, b in pairwise(loudness))


def test_it_breathes_more_deeply(levels: list[Piece]) -> None:
    """The loudness range (EBU Tech 3342) rises, by 1 LU and more."""
    ranges = [measures.loudness_range_lu(of.audio, RATE_HZ) for of in levels]
    assert ranges == sorted(ranges)
    assert ranges[-1] > ranges[0] + 1


def test_nothing_jumps(levels: list[Piece]) -> None:
    """At no level short-term loudness changes by 6 LU within a second."""
    for of in levels:
        curve = measures.loudness_curve(of.audio, RATE_HZ)
        assert np.abs(curve[10:] - curve[:-10]).max() < MOST_LU
