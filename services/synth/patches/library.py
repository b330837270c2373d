"""Patches by name: the files beside this module, each checked when it is read."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from auralis.errors import InvalidValue
from services.synth.patches.schema import Grains, Harmonics, Modes, Noise, Patch

_SUFFIX: Final = ".json"


def parse(name: str, data: bytes) -> Patch:
    """The patch that the JSON ``data`` describes.

    Raises:
        InvalidValue: naming the first parameter that is unknown, missing or out of range, what was found
            there and what is allowed.
    """
    try:
        raw = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidValue(f"patch {name}", data[:40].decode(errors="replace"), f"JSON ({error})") from error
    try:
        patch = msgspec.convert(raw, Patch)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`").lstrip(".")
        raise InvalidValue(f"patch {name}: {path or 'patch'}", _found(raw, path), problem) from error
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


def _found(raw: Any, path: str) -> Any:
    """What stands at msgspec's ``path`` (``filter.cutoff_hz``, ``noises[0].level_db``)."""
    for step in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(raw, dict) and step in raw:
            raw = raw[step]
        elif isinstance(raw, list) and step.isdigit():
            raw = raw[int(step)]
    return raw


def _check(name: str, patch: Patch) -> None:
    """What a type can't say."""
    if patch.low > patch.high:
        raise InvalidValue(f"patch {name}: low", patch.low, f"at most high ({patch.high})")
    if not (patch.partials or patch.body or patch.noises or patch.grains):
        raise InvalidValue(f"patch {name}", "nothing that sounds", "partials, body, noises or grains")
    if patch.partials is not None:
        _check_partials(name, patch.partials)
        _check_morph(name, patch, _count(patch.partials))
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
