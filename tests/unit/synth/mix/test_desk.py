"""The desk: levels, sends, and crossfades from one quality to another."""

from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from services.synth.mix import desk
from services.synth.mix.desk import LAYERS, MASTER_DB, STRIPS, Buses

Samples = NDArray[np.float32]

FRAMES = 4410
ECHOING = [name for name in LAYERS if STRIPS[name].delay_db > -120]
DRY_ONLY = [name for name in LAYERS if name not in ECHOING]


def sound(seed: int = 0) -> Samples:
    """``[ear, frame]``, left and right different."""
    return np.random.default_rng(seed).standard_normal((2, FRAMES), np.float32)


def mixed_by(weights: Samples, sounds: Iterable[Samples]) -> Samples:
    """``[output, frame]`` from layers ``[ear, frame]`` by weights ``[output, layer, ear]``."""
    return weights.reshape(len(weights), -1) @ np.concatenate(list(sounds))


def buses_of(layers: Mapping[str, Samples]) -> Buses:
    buses = desk.Desk().buses(mixed_by(desk.Desk().weights(tuple(layers)), layers.values()), layers)
    assert buses is not None
    return buses


def mixed(*names: str) -> Buses:
    return buses_of({name: sound(LAYERS.index(name)) for name in names})


def db(one: Samples, other: Samples) -> float:
    return float(20 * np.log10(one.std() / other.std()))


def test_every_layer_has_a_strip() -> None:
    assert set(STRIPS) == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_its_level_and_its_sends(name: str) -> None:
    """The room hears both sides of a layer, here practically independent, at the level of its send."""
    buses, strip = mixed(name), STRIPS[name]
    assert np.allclose(buses.dry, sound(LAYERS.index(name)) * 10 ** ((MASTER_DB + strip.level_db) / 20))
    assert abs(db(buses.room, buses.dry) - strip.room_db) < 0.4


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_keeps_its_side_in_the_room(name: str) -> None:
    """A layer on the left alone is louder on the left of the room."""
    left = sound() * np.array([[1.0], [0.0]], np.float32)
    buses = buses_of({name: left})
    assert not buses.dry[1].any()
    assert buses.room[0].std() > buses.room[1].std()


@pytest.mark.parametrize("name", ECHOING)
def test_the_delay_hears_both_ears_as_one(name: str) -> None:
    buses, strip = mixed(name), STRIPS[name]
    middle = sound(LAYERS.index(name)).mean(axis=0) * 10 ** (
        (MASTER_DB + strip.level_db + strip.delay_db) / 20
    )
    assert buses.delay is not None
    assert np.allclose(buses.delay, middle, atol=1e-6)


def test_the_delay_hears_only_layers_that_are_sent_to_it() -> None:
    alone, together = mixed(ECHOING[0]), mixed(ECHOING[0], *DRY_ONLY)
    assert alone.delay is not None
    assert together.delay is not None
    assert np.allclose(alone.delay, together.delay, atol=1e-6)
    assert mixed(*DRY_ONLY).delay is None


def test_layers_add() -> None:
    together = mixed(*LAYERS)
    alone = [mixed(name) for name in LAYERS]
    assert np.allclose(together.dry, sum((b.dry for b in alone), np.zeros((2, FRAMES))), atol=1e-5)
    assert np.allclose(together.room, sum((b.room for b in alone), np.zeros((2, FRAMES))), atol=1e-5)


def test_where_nothing_sounds_there_are_no_buses() -> None:
    assert desk.Desk().buses(None, ()) is None


def test_without_a_desk_layers_are_summed_as_they_are() -> None:
    layers = [sound(1), sound(2)]
    found = mixed_by(desk.Flat().weights(("pad", "melody")), layers)
    assert np.allclose(found, layers[0] + layers[1], atol=1e-6)


def test_values_equal_at_both_qualities_are_not_touched() -> None:
    buses = mixed("melody")
    faded = desk.crossfaded(buses, buses)
    assert faded is not None
    assert all(np.array_equal(*pair) for pair in zip(faded, buses, strict=True))


def test_a_fade_begins_as_the_old_and_ends_as_the_new() -> None:
    """And is linear in between."""
    old, new = mixed("melody", "pad"), mixed("melody")
    faded = desk.crossfaded(old, new)
    assert faded is not None
    for before, between, after in zip(old, faded, new, strict=True):
        assert np.array_equal(between[:, 0], before[:, 0])
        assert np.array_equal(between[:, -1], after[:, -1])
        share = np.linspace(0, 1, FRAMES, dtype=np.float32)
        assert np.allclose(between, before + (after - before) * share, atol=1e-6)


def test_fades_from_and_into_silence() -> None:
    buses = mixed("pad")
    assert desk.crossfaded(None, None) is None
    rising, falling = desk.crossfaded(None, buses), desk.crossfaded(buses, None)
    assert rising is not None
    assert falling is not None
    assert np.allclose(rising.dry + falling.dry, buses.dry, atol=1e-6)
    assert not rising.dry[:, 0].any()
    assert not falling.dry[:, -1].any()
    assert rising.delay is None  # a bus that is silent in both stays None, not zeros
