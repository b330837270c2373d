"""Controls: one table says what is allowed, and everything is checked against it."""

import math
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.controls import SPECS, Controls, changed, validated
from auralis.errors import InvalidValue
from auralis.keys import Key
from auralis.score.events import Layer, Room


def test_the_table_names_exactly_the_controls_and_their_defaults() -> None:
    assert {spec.name: spec.default for spec in SPECS} == msgspec.structs.asdict(Controls())


def test_the_defaults_are_allowed() -> None:
    assert changed(Controls(), msgspec.structs.asdict(Controls())) == Controls()


def test_the_ranges_are_those_of_the_contract() -> None:
    bpm, intensity = (next(s for s in SPECS if s.name == name) for name in ("bpm", "intensity"))
    assert (bpm.minimum, bpm.maximum, intensity.minimum, intensity.maximum) == (40, 120, 0, 1)


def test_each_control_is_described_in_json_with_its_type() -> None:
    for described in msgspec.to_builtins(SPECS):
        assert described["type"] in ("number", "choice")
        assert described["description"]
        assert ("choices" in described) == (described["type"] == "choice")


@given(st.floats(40, 120), st.floats(0, 1))
def test_numbers_within_the_range_are_taken_as_they_are(bpm: float, intensity: float) -> None:
    assert changed(Controls(), {"bpm": bpm, "intensity": intensity}) == Controls("A minor", bpm, intensity)


@pytest.mark.parametrize("value", [40, 120, 60])
def test_integers_become_floats(value: int) -> None:
    number = validated({"bpm": value})["bpm"]
    assert isinstance(number, float)
    assert number == value


@pytest.mark.parametrize(
    "value",
    [39.999, 120.001, -60, math.nan, math.inf, -math.inf, 10**400, True, "60", None, [60], {"value": 60}],
)
def test_anything_else_is_no_bpm(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"bpm: found .*, allowed: a number from 40 to 120"):
        validated({"bpm": value})


@pytest.mark.parametrize("value", [9, None, ["A minor"], "H minor", ""])
def test_what_is_no_key_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match=r"key: found .*, allowed: one of C"):
        validated({"key": value})


def test_an_unknown_control_is_refused_by_naming_those_there_are() -> None:
    with pytest.raises(InvalidValue, match="volume: found 1, allowed: a control named key, bpm, intensity"):
        validated({"bpm": 60, "volume": 1})


def test_each_layer_has_a_level_that_is_shown_among_the_layers() -> None:
    levels = {spec.name: spec.label for spec in SPECS if spec.group == "layers"}
    assert levels == {f"level_{layer}": layer for layer in get_args(Layer)}


def test_a_room_is_one_of_the_scores_or_left_to_the_composer() -> None:
    (spec,) = (spec for spec in SPECS if spec.name == "room")
    assert spec.choices == ("auto", *get_args(Room))
    assert validated({"room": "Plate"}) == {"room": "plate"}
    with pytest.raises(InvalidValue, match="room: found 'garage', allowed: one of auto, hall"):
        validated({"room": "garage"})


def test_a_key_is_kept_in_its_canonical_form() -> None:
    controls = changed(Controls(), {"key": "a# MINOR"})
    assert controls.key == "Bb minor"
    assert controls.musical_key == Key(10, "minor")


def test_what_is_not_changed_stays() -> None:
    before = Controls("E major", 72.0, 0.9)
    assert changed(before, {"bpm": 48}) == Controls("E major", 48.0, 0.9)
    assert changed(before, {}) == before
