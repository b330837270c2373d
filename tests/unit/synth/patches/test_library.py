"""The library of patches: all of them are valid, and a fault in a patch is reported in one line."""

import json
import math
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.errors import InvalidValue
from services.synth.patches import library as module
from services.synth.patches.library import library, parse
from services.synth.patches.parameters import parameters
from services.synth.patches.schema import Harmonics, Patch

FILES: Final = sorted(Path(module.__file__).parent.glob("*.json"))
NOISE: Final = {"level_db": -30, "octaves_db": [0] * 10}
GRAINS: Final = {"rate_hz": 5, "level_db": -20, "t60_s": [0.1, 0.2], "hz": [500, 900]}
MODES: Final = {"kind": "modes", "ratios": [1, 2.7], "levels_db": [0, -9]}
VALID: Final[dict[str, Any]] = {
    "description": "A patch that uses every part.",
    "family": "pad",
    "level_db": -20,
    "low": 40,
    "high": 80,
    "partials": {"kind": "harmonics", "count": 3},
    "decay": {"fast_db_s": 10},
    "filter": {"cutoff_hz": 800},
    "morph": {"spectra": [[0, -6, -9], [0, -3, -6], [0, 0, 0]]},
    "unison": {"copies": [{"cents": -3}, {"cents": 4, "pan": 0.5}]},
    "resonances": [{"hz": 400, "level_db": 3, "width_hz": 100}],
    "motion": {"wander_db": 1},
    "body": [{"hz": 90, "level_db": -20, "t60_s": 0.2}],
    "noises": [NOISE],
    "grains": GRAINS,
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    """``VALID`` with ``value`` at ``path``: names and list indices, separated by dots."""
    patch = json.loads(json.dumps(VALID))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    part = patch
    for step in way:
        part = part[step]
    part[last] = value
    return patch


def without(name: str) -> dict[str, Any]:
    """``VALID`` without one of its parameters."""
    return {key: value for key, value in VALID.items() if key != name}


def fault(patch: Any) -> str:
    """The message about ``patch``."""
    with pytest.raises(InvalidValue) as caught:
        parse("mine", json.dumps(patch).encode())
    return str(caught.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_a_valid_patch_of_the_library(path: Path) -> None:
    assert library()[path.stem] == parse(path.stem, path.read_bytes())


def test_the_library_has_nothing_but_the_files() -> None:
    assert list(library()) == [path.stem for path in FILES]


def test_a_patch_that_uses_every_part_is_valid() -> None:
    patch = parse("mine", json.dumps(VALID).encode())
    assert isinstance(patch.partials, Harmonics)
    assert patch.grains is not None


def test_omitted_parameters_have_their_defaults() -> None:
    patch = parse("mine", json.dumps(VALID).encode())
    assert (patch.velocity_exponent, patch.unison.copies[0].weight, patch.trim_db) == (1.2, 1.0, 0.0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("level_db", 99, "patch mine: level_db: found 99, allowed: -120 to 24 dB"),
        ("low", 45.5, "patch mine: low: found 45.5, allowed: a whole number, 0 to 127 MIDI"),
        ("description", 3, "patch mine: description: found 3, allowed: text"),
        ("filter", 3, "patch mine: filter: found 3, allowed: Filter or null"),
        ("filter.together", 1, "patch mine: filter.together: found 1, allowed: true or false"),
        ("partials.kind", "saw", "patch mine: partials.kind: found 'saw', allowed: harmonics or modes"),
        ("filter.cutoff_hz", 0, "patch mine: filter.cutoff_hz: found 0, allowed: 10 to 24000 Hz"),
        ("unison.copies.1.pan", -2, "patch mine: unison.copies[1].pan: found -2, allowed: -1 to 1"),
        ("unison.copies", [], "patch mine: unison.copies: found 'a list of 0', allowed: 1 or more of: Copy"),
        (
            "noises.0.octaves_db.9",
            25,
            "patch mine: noises[0].octaves_db[9]: found 25, allowed: -120 to 24 dB",
        ),
        ("grains.t60_s.0", 0, "patch mine: grains.t60_s[0]: found 0, allowed: 0.005 to 60 s"),
        ("grains.t60_s", [1], "patch mine: grains.t60_s: found 'a list of 1', allowed: 2 of: 0.005 to 60 s"),
        ("morph.spectra.2.0", 30, "patch mine: morph.spectra[2][0]: found 30, allowed: -120 to 24 dB"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(path: str, value: Any, said: str) -> None:
    assert fault(with_value(path, value)) == said


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("volume", ("description, family, level_db", "trim_db")),
        ("filter.q", ("cutoff_hz, octaves", "together")),
        ("partials.gain", ("count, exponent", "spread_db")),
        ("unison.copies.1.gain", ("cents, weight, pan", "pan")),
        ("noises.0.width", ("level_db, octaves_db", "pan")),
    ],
)
def test_a_parameter_that_does_not_exist_is_named_with_those_that_do(
    path: str, allowed: tuple[str, str]
) -> None:
    shown = path.replace(".1.", "[1].").replace(".0.", "[0].")
    said = fault(with_value(path, 7))
    assert said.startswith(f"patch mine: {shown}: found 7, allowed: one of {allowed[0]}")
    assert said.endswith(allowed[1])
    assert "\n" not in said


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (without("low"), "low: found 'nothing', allowed: a whole number, 0 to 127 MIDI"),
        (with_value("filter", {}), "filter.cutoff_hz: found 'nothing', allowed: 10 to 24000 Hz"),
        (with_value("partials", {"count": 3}), "partials.kind: found 'nothing', allowed: harmonics or modes"),
        (with_value("body.0", {"hz": 90}), "body[0].level_db: found 'nothing', allowed: -120 to 24 dB"),
    ],
)
def test_a_parameter_that_is_missing_is_named(patch: dict[str, Any], said: str) -> None:
    assert fault(patch) == f"patch mine: {said}"


@pytest.mark.parametrize("path", ["level_db", "filter.cutoff_hz", "noises.0.octaves_db.3"])
@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (-math.inf, "-Infinity")])
def test_numbers_that_are_not_finite_are_named(path: str, value: float, word: str) -> None:
    said = fault(with_value(path, value))
    assert said.startswith(f"patch mine: {path.replace('.0.', '[0].').replace('.3', '[3]')}: ")
    assert f"found '{word}', allowed: " in said


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"low": 1e}'])
def test_data_that_is_not_json_is_reported(data: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"patch mine: found .*, allowed: JSON"):
        parse("mine", data)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (with_value("low", 90), "low: found 90, allowed: at most high (80)"),
        (
            with_value("noises.0.octaves_db", [0] * 9),
            "noises[0].octaves_db: found 'a list of 9', allowed: 10 of: ",
        ),
        (
            with_value("noises.0.t60_s", [0.1, 0.2]),
            "noises[0].t60_s: found 2, allowed: none, one or 10 times",
        ),
        (with_value("partials.levels_db", [0, 0]), "partials.levels_db: found 2, allowed: none or 3 values"),
        (with_value("morph.spectra.1", [0]), "morph.spectra[1]: found 1, allowed: 3 levels"),
        (
            with_value("partials", MODES | {"levels_db": [0]}),
            "partials.levels_db: found 1, allowed: 2 levels",
        ),
        (
            with_value("partials", MODES | {"t60_s": [1, 2, 3]}),
            "partials.t60_s: found 3, allowed: none or 2 values",
        ),
        (
            with_value("grains.semitones", [12]),
            "grains: found 'semitones and hz', allowed: one of them",
        ),
        (with_value("grains.hz", None), "grains: found 'neither semitones nor hz', allowed: one of them"),
        (
            with_value("motion.vibrato_low_hz", 6),
            "motion.vibrato_low_hz: found 6.0, allowed: at most vibrato_high_hz (5.6)",
        ),
        (
            with_value("motion.tremolo_high_hz", 2.5),
            "motion.tremolo_low_hz: found 3.0, allowed: at most tremolo_high_hz (2.5)",
        ),
        (
            with_value("grains.hz", [900, 500]),
            "grains.hz: found (900.0, 500.0), allowed: the lower one first",
        ),
    ],
)
def test_parameters_that_contradict_each_other_are_named(patch: dict[str, Any], said: str) -> None:
    assert fault(patch).startswith(f"patch mine: {said}")


def test_a_patch_must_sound() -> None:
    silent = {name: VALID[name] for name in ("description", "family", "level_db", "low", "high")}
    assert fault(silent) == (
        "patch mine: found 'nothing that sounds', allowed: partials, body, noises or grains"
    )


def numbers(part: dict[str, Any], path: str = "") -> list[str]:
    """The paths of all numbers of ``VALID`` that need not be whole."""
    inner = [numbers(value, f"{path}{name}.") for name, value in part.items() if isinstance(value, dict)]
    whole = {parameter.name for parameter in parameters() if "whole" in parameter.allowed}
    own = [name for name, value in part.items() if isinstance(value, int | float) and name not in whole]
    return [f"{path}{name}" for name in own] + [name for names in inner for name in names]


def verdict(patch: Any) -> Patch | InvalidValue:
    """The patch, or the error about it."""
    try:
        return parse("mine", json.dumps(patch).encode())
    except InvalidValue as error:
        return error


@given(st.sampled_from(numbers(VALID)), st.floats())
def test_any_number_is_either_in_range_or_named(path: str, value: float) -> None:
    """Never another error, nor more than one line."""
    said = verdict(with_value(path, value))
    if isinstance(said, Patch):
        assert math.isfinite(value)
    else:
        assert said.field == f"patch mine: {path}"
        assert "\n" not in str(said)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(VALID)), JSON)
def test_anything_in_place_of_a_parameter_is_valid_or_named(name: str, value: Any) -> None:
    said = verdict(with_value(name, value))
    if isinstance(said, InvalidValue):
        assert said.field.startswith("patch mine")
        assert "\n" not in str(said)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_named_fault(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        parse("mine", data)
