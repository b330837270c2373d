"""The controls of a channel: the one place that knows their names, ranges, defaults and descriptions.

The API, the OpenAPI document, the command line and the player all read :data:`SPECS`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from auralis.errors import InvalidValue
from auralis.keys import KEY_NAMES, Key, parse_key


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a listener may turn. ``key`` as text, ``bpm`` in beats a minute, ``intensity`` 0–1."""

    key: str = "A minor"
    bpm: float = 60.0
    intensity: float = 0.5

    @property
    def musical_key(self) -> Key:
        """The key as tonic and mode."""
        return parse_key(self.key)


class ControlSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One control as its users see it. ``minimum`` and ``maximum`` are inclusive."""

    name: str
    kind: Literal["number", "choice"] = msgspec.field(name="type")
    default: str | float
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        return f"a number from {self.minimum:g} to {self.maximum:g}"


SPECS: Final = (
    ControlSpec(
        name="key",
        kind="choice",
        default="A minor",
        description="Tonic and mode; a change passes through a pivot chord at the next bar.",
        choices=KEY_NAMES,
    ),
    ControlSpec(
        name="bpm",
        kind="number",
        default=60.0,
        unit="beats per minute",
        minimum=40.0,
        maximum=120.0,
        step=1.0,
        description="Tempo; a change is a ramp over one bar.",
    ),
    ControlSpec(
        name="intensity",
        kind="number",
        default=0.5,
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        description=(
            "From still and dark to dense and bright; at once in the timbre, within a beat in the density."
        ),
    ),
)
_BY_NAME: Final = {spec.name: spec for spec in SPECS}


def validated(changes: Mapping[str, Any]) -> dict[str, str | float]:
    """Check ``changes`` (control name → value) and return them in canonical form.

    Raises:
        InvalidValue: for the first unknown name or value outside its range.
    """
    return {name: _checked(name, value) for name, value in changes.items()}


def changed(controls: Controls, changes: Mapping[str, Any]) -> Controls:
    """``controls`` with validated ``changes`` applied."""
    return msgspec.structs.replace(controls, **validated(changes))


def _checked(name: str, value: Any) -> str | float:
    spec = _BY_NAME.get(name)
    if spec is None:
        raise InvalidValue(name, value, f"a control named {', '.join(_BY_NAME)}")
    if spec.kind == "choice":
        if not isinstance(value, str):
            raise InvalidValue(name, value, spec.allowed)
        return str(parse_key(value))
    return _number(spec, value)


def _number(spec: ControlSpec, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN and the infinities lie in no range; math.isfinite can't take the largest integers of JSON.
    if not is_number or not spec.minimum <= value <= spec.maximum:
        raise InvalidValue(spec.name, value, spec.allowed)
    return float(value)
