"""Patches by name: the JSON files in this folder, each checked when it is read."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from auralis.errors import InvalidValue
from services.synth.patches.parameters import allowed_at, found_at, names_at, steps
from services.synth.patches.schema import Grains, Harmonics, Modes, Motion, Noise, Patch

_SUFFIX: Final = ".json"


def parse(name: str, data: bytes) -> Patch:
    """The patch that the JSON ``data`` describes.

    Raises:
        InvalidValue: a parameter is unknown, missing or out of range; names the first one, what was found
            there and what is allowed.
    """
    raw = _decoded(name, data)
    try:
        patch = msgspec.convert(raw, Patch)
    except msgspec.ValidationError as error:
        raise _fault(name, raw, str(error)) from error
    _check(name, patch)
    return patch


@cache
def library() -> dict[str, Patch]:
    """All patches that come with the synth, by name."""
    folder = files(__package__)
    found = {
        item.name.removesuffix(_SUFFIX): item for item in folder.iterdir() if item.name.endswith(_SUFFIX)
    }
    return {name: parse(name, found[name].read_bytes()) for name in sorted(found)}


def _decoded(name: str, data: bytes) -> Any:
    """The parsed JSON; NaN and infinities, which JSON does not have, as strings."""
    try:
        return json.loads(data, parse_constant=str)
    except ValueError as error:
        raise InvalidValue(f"patch {name}", data[:40].decode(errors="replace"), f"JSON ({error})") from error


def _fault(name: str, raw: Any, error: str) -> InvalidValue:
    """The fault that msgspec found, in one line with what is allowed there."""
    problem, _, at = error.partition(" - at `$")
    path = at.rstrip("`").lstrip(".")
    lacking = re.search(r"(unknown|missing required) field `(.+)`", problem)
    if lacking is None:
        return InvalidValue(_where(name, path), _brief(_found(raw, path)), allowed_at(path, raw))
    part, path = path, f"{path}.{lacking[2]}".lstrip(".")
    if lacking[1] == "unknown":
        return InvalidValue(_where(name, path), _brief(_found(raw, path)), names_at(part, raw))
    return InvalidValue(_where(name, path), "nothing", allowed_at(path, raw))


def _where(name: str, path: str) -> str:
    return f"patch {name}: {path}" if path else f"patch {name}"


def _found(raw: Any, path: str) -> Any:
    """The value at msgspec's ``path`` (``filter.cutoff_hz``, ``noises[0].level_db``)."""
    for step in steps(path):
        raw = found_at(raw, step)
    return raw


def _brief(found: Any) -> Any:
    """``found``, but of a part or a list only its size: the message is a single line."""
    if isinstance(found, dict):
        return f"a part with {len(found)} parameters"
    return f"a list of {len(found)}" if isinstance(found, list) else found


def _check(name: str, patch: Patch) -> None:
    """Check what types can't express."""
    if patch.low > patch.high:
        raise InvalidValue(f"patch {name}: low", patch.low, f"at most high ({patch.high})")
    if not (patch.partials or patch.body or patch.noises or patch.grains):
        raise InvalidValue(f"patch {name}", "nothing that sounds", "partials, body, noises or grains")
    if patch.partials is not None:
        _check_partials(name, patch.partials)
        _check_morph(name, patch, _count(patch.partials))
    _check_motion(f"patch {name}: motion", patch.motion)
    for index, noise in enumerate(patch.noises):
        _check_noise(f"patch {name}: noises[{index}]", noise)
    if patch.grains is not None:
        _check_grains(f"patch {name}: grains", patch.grains)


def _count(partials: Harmonics | Modes) -> int:
    return partials.count if isinstance(partials, Harmonics) else len(partials.ratios)


def _check_partials(name: str, partials: Harmonics | Modes) -> None:
    lists = {"levels_db": partials.levels_db}
    if isinstance(partials, Modes):
        lists |= {"offsets_hz": partials.offsets_hz, "t60_s": partials.t60_s}
        if len(partials.levels_db) != len(partials.ratios):
            raise InvalidValue(
                f"patch {name}: partials.levels_db", len(partials.levels_db), f"{len(partials.ratios)} levels"
            )
    for what, values in lists.items():
        if len(values) not in {0, _count(partials)}:
            raise InvalidValue(
                f"patch {name}: partials.{what}", len(values), f"none or {_count(partials)} values"
            )


def _check_morph(name: str, patch: Patch, count: int) -> None:
    if patch.morph is None or patch.morph.spectra == "vowels":
        return
    for index, spectrum in enumerate(patch.morph.spectra):
        if len(spectrum) != count:
            raise InvalidValue(f"patch {name}: morph.spectra[{index}]", len(spectrum), f"{count} levels")


def _check_motion(where: str, motion: Motion) -> None:
    for what in ("vibrato", "tremolo"):
        low, high = (getattr(motion, f"{what}_{end}_hz") for end in ("low", "high"))
        if low > high:
            raise InvalidValue(f"{where}.{what}_low_hz", low, f"at most {what}_high_hz ({high})")


def _check_noise(where: str, noise: Noise) -> None:
    if len(noise.t60_s) not in {0, 1, len(noise.octaves_db)}:
        raise InvalidValue(f"{where}.t60_s", len(noise.t60_s), f"none, one or {len(noise.octaves_db)} times")


def _check_grains(where: str, grains: Grains) -> None:
    if bool(grains.semitones) == bool(grains.hz):
        raise InvalidValue(
            where, "semitones and hz" if grains.hz else "neither semitones nor hz", "one of them"
        )
    for what in ("t60_s", "hz"):
        low, high = getattr(grains, what) or (0.0, 0.0)
        if low > high:
            raise InvalidValue(f"{where}.{what}", (low, high), "the lower one first")
