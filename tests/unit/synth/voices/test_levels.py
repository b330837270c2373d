"""Levels and phases: computed from terms, they match the columns' definition."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.synth.voices import columns, levels, terms
from services.synth.voices.columns import Bend, Fast, Slow
from tests.unit.synth import oracle

COUNT = 96


def drawn(seed: int) -> NDArray[np.float32]:
    """A random table of partials with every property: motion, morph, filter, decay, tremolo, bends."""
    draw = np.random.default_rng(seed)
    table = draw.uniform(0.05, 1.0, (columns.EARS.stop, COUNT))
    slow, fast, bend = table[columns.SLOW], table[columns.FAST], table[columns.BEND]
    slow[Slow.FREQ_HZ] = draw.uniform(30, 15_000, COUNT)
    slow[Slow.CUTOFF_HZ] = draw.choice([200.0, 2000.0, 1e9], COUNT)
    slow[Slow.MORPH_AT :] = draw.uniform(-1, 1, slow[Slow.MORPH_AT :].shape)
    slow[[Slow.TILT, Slow.CUTOFF_OCTAVES]] = draw.uniform(-2, 2, (2, COUNT))
    fast[[Fast.GATE_S, Fast.ATTACK_S]] = draw.uniform(0.1, 4, (2, COUNT))
    bend[[Bend.DELAY_S, Bend.VIBRATO_AFTER_S]] = draw.uniform(0, 3, (2, COUNT))
    return table.astype(np.float32)


def of_kind(kind: str, values: NDArray[np.float32]) -> torch.Tensor | NDArray[np.float32]:
    return torch.from_numpy(values) if kind == "torch" else values


def times(*shape: int) -> NDArray[np.float32]:
    """Before the onset, and up to nine seconds after it."""
    return np.random.default_rng(3).uniform(-0.5, 9, shape).astype(np.float32)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("intensity", [0.0, 0.3, 1.0])
def test_slow_levels_match_the_columns(intensity: float, kind: str) -> None:
    """Within single precision."""
    table, since_s = drawn(1), times(2, COUNT)
    exact = np.stack([oracle.slow(table.astype(float), each, intensity) for each in since_s])
    curve = np.full(2, intensity)
    asked = levels.asked([(oracle.brightness(curve), curve)])
    own, asked, since_s = (
        of_kind(kind, each) for each in (terms.terms_of(table)[terms.SLOW], asked, since_s)
    )
    assert np.allclose(levels.slow_levels(own, since_s, asked), exact, rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_fast_levels_match_the_columns(kind: str) -> None:
    """At several times at once."""
    table, since_s = drawn(2), times(11, COUNT)
    exact = np.stack([oracle.fast(table[columns.FAST].astype(float), each) for each in since_s])
    own = of_kind(kind, terms.terms_of(table)[terms.FAST])
    assert np.allclose(levels.fast_levels(own, of_kind(kind, since_s)), exact, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_bends_match_the_columns(kind: str) -> None:
    """Vibrato, and the phase that a slide has added so far."""
    table, since_s = drawn(4), times(11, COUNT)
    far = table[columns.BEND][Bend.SLIDE_TURNS]
    own, times_s = of_kind(kind, terms.terms_of(table)[terms.BEND]), of_kind(kind, since_s)
    exact = np.stack([oracle.bent(table[columns.BEND].astype(float), each) for each in since_s])
    slid = far - np.asarray(levels.slide_turns(own, times_s))
    assert np.allclose(np.asarray(levels.vibrato_turns(own, times_s)) + slid, exact, atol=1e-5)
    table[columns.BEND][Bend.SLIDE_TURNS] = 0
    exact = np.stack([oracle.bent(table[columns.BEND].astype(float), each) for each in since_s])
    assert np.allclose(levels.vibrato_turns(own, times_s), exact, atol=1e-5)


def test_a_column_of_zeros_gives_finite_values() -> None:
    """Padding consists of such columns; it causes no warning either."""
    zeros = np.zeros((terms.COUNT, 32), dtype=np.float32)
    with np.errstate(all="raise"):
        found = [
            levels.slow_levels(zeros[terms.SLOW], times(2, 32), np.zeros((3, 2, 32), dtype=np.float32)),
            levels.fast_levels(zeros[terms.FAST], times(9, 32)),
            levels.vibrato_turns(zeros[terms.BEND], times(9, 32)),
            levels.slide_turns(zeros[terms.BEND], times(9, 32)),
        ]
    assert all(np.isfinite(each).all() for each in found)


def test_a_level_between_two_is_linear_and_never_negative() -> None:
    """Beyond its ends the line goes on, but not below 0."""
    along = np.array([0.0, 0.5, 1.0, 2.0, 3.0], dtype=np.float32)
    start, end = np.float32(1.0), np.float32(0.6)
    assert np.allclose(levels.between(start, end, along), [1.0, 0.8, 0.6, 0.2, 0.0])


def test_controls_move_a_level_by_their_distance_from_neutral() -> None:
    """Brightness moves tilt and low-pass, intensity moves the place between the spectra."""
    found = levels.asked([(np.array([0.5, 1.0]), np.array([0.0, 0.25]))])
    assert found.tolist() == [[[0.0], [0.5]], [[-0.5], [-0.25]], [[0.0], [0.5]]]
