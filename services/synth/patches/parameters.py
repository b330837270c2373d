"""What the schema allows, in words: for the page on patches and for one-line messages about faults."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec import NODEFAULT, inspect

from services.synth.patches.schema import Patch

_ROOT: Final = inspect.type_info(Patch)
_PLAIN: Final[dict[type[inspect.Type], str]] = {
    inspect.NoneType: "null",
    inspect.BoolType: "true or false",
    inspect.StrType: "text",
}
_TAG: Final = "kind"  # tells apart the alternatives for one place


class Parameter(NamedTuple):
    """One parameter of one part of a patch; ``default`` is empty if the parameter is required."""

    part: str
    name: str
    allowed: str
    unit: str
    curve: str
    default: str
    description: str


def parts() -> list[type]:
    """The structures that a patch consists of, the patch itself first."""
    return list(dict.fromkeys(kind.cls for kind in _structs(_ROOT)))


def parameters() -> list[Parameter]:
    """All parameters, part by part."""
    found = {kind.cls: kind for kind in _structs(_ROOT)}
    return [_parameter(cls.__name__, field) for cls, kind in found.items() for field in kind.fields]


def allowed_at(path: str, raw: Any) -> str:
    """What is allowed at ``path`` (``noises[0].level_db``) of the patch ``raw``."""
    return _words(_at(path, raw)[0])


def names_at(path: str, raw: Any) -> str:
    """The parameters of the part at ``path`` (the patch itself: "") of the patch ``raw``."""
    part = _chosen(*_at(path, raw))
    names = [field.name for field in part.fields] if isinstance(part, inspect.StructType) else []
    return f"one of {', '.join(names)}"


def steps(path: str) -> list[str]:
    """Split a path: ``noises[0].level_db`` into ``noises``, ``0``, ``level_db``."""
    return [step for step in path.replace("[", ".").replace("]", "").split(".") if step]


def found_at(raw: Any, step: str) -> Any:
    """The value one step into ``raw``, or None."""
    if isinstance(raw, dict):
        return raw.get(step)
    return raw[int(step)] if isinstance(raw, list) and step.isdigit() and int(step) < len(raw) else None


def _at(path: str, raw: Any) -> tuple[inspect.Type, Any]:
    """The type that is allowed at ``path``, and the value found there."""
    kind: inspect.Type = _ROOT
    for step in steps(path):
        kind = _tags(kind) if step == _TAG else _inside(_chosen(kind, raw), step)
        raw = found_at(raw, step)
    return kind, raw


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    for inner in _alternatives(kind):
        if isinstance(inner, inspect.StructType):
            yield inner
            for field in inner.fields:
                yield from _structs(field.type)
        elif isinstance(inner, inspect.VarTupleType):
            yield from _structs(inner.item_type)


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """The members of a union, or the type itself, without metadata."""
    plain = _plain(kind)
    return tuple(map(_plain, plain.types)) if isinstance(plain, inspect.UnionType) else (plain,)


def _plain(kind: inspect.Type) -> inspect.Type:
    return _plain(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _parameter(part: str, field: inspect.Field) -> Parameter:
    said = field.type if isinstance(field.type, inspect.Metadata) else None
    scale = _scale(field.type)
    return Parameter(
        part=part,
        name=field.name,
        allowed=_words(field.type),
        unit=scale.get("unit", ""),
        curve=scale.get("curve", ""),
        default=_default(field.default),
        description=(said.extra_json_schema or {}).get("description", "") if said else "",
    )


def _default(value: Any) -> str:
    if value is NODEFAULT:
        return ""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}"
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple) and isinstance(value[0], float):
        return ", ".join(f"{number:g}" for number in value)
    return str(value).lower() if isinstance(value, bool) else "all defaults"


def _scale(kind: inspect.Type) -> dict[str, str]:
    """Unit and curve of a number, or of the numbers in a list."""
    if isinstance(kind, inspect.Metadata):
        return kind.extra or _scale(kind.type)
    if isinstance(kind, inspect.VarTupleType):
        return _scale(kind.item_type)
    if isinstance(kind, inspect.TupleType):
        return _scale(kind.item_types[0])
    return _scale(kind.types[0]) if isinstance(kind, inspect.UnionType) else {}


def _chosen(kind: inspect.Type, raw: Any) -> inspect.Type:
    """The alternative of ``kind`` that ``raw`` belongs to, by its tag; else the first one."""
    tag = raw.get(_TAG) if isinstance(raw, dict) else None
    kinds = [k for k in _alternatives(kind) if not isinstance(k, inspect.NoneType)]
    return next((k for k in kinds if isinstance(k, inspect.StructType) and k.tag == tag), kinds[0])


def _tags(kind: inspect.Type) -> inspect.Type:
    return inspect.LiteralType(tuple(k.tag for k in _alternatives(kind) if isinstance(k, inspect.StructType)))


def _inside(kind: inspect.Type, step: str) -> inspect.Type:
    if isinstance(kind, inspect.StructType):
        return next(field.type for field in kind.fields if field.name == step)
    if isinstance(kind, inspect.TupleType):
        return kind.item_types[int(step)]
    return kind.item_type if isinstance(kind, inspect.VarTupleType) else kind


def _words(kind: inspect.Type) -> str:
    scale = _scale(kind)
    kinds = [_one(k, scale.get("unit", "")) for k in _alternatives(kind)]
    return " or ".join(kinds)


def _one(kind: inspect.Type, unit: str) -> str:
    match kind:
        case inspect.IntType() | inspect.FloatType():
            whole = "a whole number, " if isinstance(kind, inspect.IntType) else ""
            said = f"{whole}{kind.ge:g} to {kind.le:g} {unit}".rstrip()
        case inspect.LiteralType():
            said = " or ".join(map(str, kind.values))
        case inspect.VarTupleType():
            said = _length(kind) + _words(kind.item_type)
        case inspect.TupleType():
            said = f"{len(kind.item_types)} of: {_words(kind.item_types[0])}"
        case inspect.StructType():
            said = kind.cls.__name__
        case _:
            said = _PLAIN[type(kind)]
    return said


def _length(kind: inspect.VarTupleType) -> str:
    low, high = kind.min_length, kind.max_length
    if low == high and low is not None:
        return f"{low} of: "
    if low is None and high is None:
        return "a list of: "
    return f"{low or 0} to {high} of: " if high is not None else f"{low} or more of: "
