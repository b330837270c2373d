from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.composer.chance import Chance, between
from tests.unit.composer.pieces import unhurried


def test_a_draw_is_the_same_on_every_machine():
    assert Chance(7, "harmony").bits(3, 1) == 13534555174875211693


def test_streams_and_indices_are_independent_draws():
    draws = {Chance(seed, stream).bits(n) for seed in range(4) for stream in "ab" for n in range(50)}
    assert len(draws) == 400


def test_a_pick_follows_the_weights():
    counts = Counter(Chance(1, "pick").pick((1, 0, 3), n) for n in range(4000))
    assert counts[1] == 0
    assert counts[2] / counts[0] == pytest.approx(3, rel=0.15)


def test_weights_without_a_positive_one_are_refused():
    with pytest.raises(ValueError, match="found a sum of 0"):
        Chance(1, "pick").pick((0, 0), 0)


def test_a_higher_probability_only_adds_hits():
    chance = Chance(1, "hits")
    assert all(chance.hits(600, n) for n in range(500) if chance.hits(300, n))


def test_pink_noise_drifts_neighbours_are_alike():
    noise = [Chance(5, "pink").pink(1000, n) for n in range(4000)]
    near = sum(a * b for a, b in pairwise(noise)) / sum(a * a for a in noise)
    assert near > 0.5
    assert max(map(abs, noise)) <= 1000


@unhurried
@given(st.lists(st.integers(-2000, 2000), min_size=2, max_size=6), st.integers(0, 1000))
def test_an_interpolation_stays_between_its_points(points, level):
    assert min(points) <= between(points, level) <= max(points)
    assert (between(points, 0), between(points, 1000)) == (points[0], points[-1])
