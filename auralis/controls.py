"""The controls of a channel: the one place that knows their names, ranges, defaults and descriptions.

The API, the OpenAPI document, the command line and the player all read :data:`SPECS`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from auralis.errors import InvalidValue
from auralis.keys import KEY_NAMES, Key, parse_key
from auralis.score.events import Layer, Room

AUTO: Final = "auto"
ROOMS: Final[tuple[str, ...]] = (AUTO, *get_args(Room))
LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a listener can set: ``key`` and ``room`` by name, ``bpm`` in beats per minute, the rest 0–1."""

    key: str = "A minor"
    bpm: float = 60.0
    intensity: float = 0.5
    mood: float = 0.5
    brightness: float = 0.5
    room: str = AUTO
    level_drone: float = 1.0
    level_pad: float = 1.0
    level_choir: float = 1.0
    level_bells: float = 1.0
    level_melody: float = 1.0
    level_answer: float = 1.0
    level_texture: float = 1.0
    level_percussion: float = 1.0

    @property
    def musical_key(self) -> Key:
        """The key as tonic and mode."""
        return parse_key(self.key)


class ControlSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One control as its users see it. ``minimum`` and ``maximum`` are inclusive.

    ``label`` is its title where ``name`` does not serve as one, ``group`` the set of controls it is shown in.
    """

    name: str
    kind: Literal["number", "choice"] = msgspec.field(name="type")
    default: str | float
    description: str
    label: str = ""
    group: str = ""
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


_LAYER_ROLES: Final[Mapping[Layer, str]] = {
    "drone": "the ground below everything",
    "pad": "the chords",
    "choir": "voices that hum along with the chords",
    "bells": "loops of bells that never realign",
    "melody": "the voice that leads",
    "answer": "the voice that replies to the melody",
    "texture": "wind, rain, tape and other noises",
    "percussion": "soft drums, from middle intensities on",
}


def _share(name: str, default: float, description: str, *, label: str = "", group: str = "") -> ControlSpec:
    """A control from 0 to 1 in steps of 0.01."""
    return ControlSpec(
        name=name,
        kind="number",
        default=default,
        description=description,
        label=label,
        group=group,
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )


def _level(layer: Layer) -> ControlSpec:
    about = f"Level of the {layer}, {_LAYER_ROLES[layer]}: 0 is silent, 1 as it is mixed."
    return _share(f"level_{layer}", 1.0, about, label=layer, group="layers")


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
    _share(
        "intensity",
        0.5,
        "From still and dark to dense and bright; at once in the timbre, within a beat in the density.",
    ),
    _share(
        "mood", 0.5, "From dark to bright harmony; heard from the chords to come, more with each section."
    ),
    _share("brightness", 0.5, "From muffled to bright timbre, beside what the intensity gives; at once."),
    ControlSpec(
        name="room",
        kind="choice",
        default=AUTO,
        description="The space around the music; auto: each section has its own; none: dry.",
        choices=ROOMS,
    ),
    *map(_level, LAYERS),
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
        return str(parse_key(value)) if name == "key" else _choice(spec, value)
    return _number(spec, value)


def _choice(spec: ControlSpec, value: str) -> str:
    if value.lower() not in spec.choices:
        raise InvalidValue(spec.name, value, spec.allowed)
    return value.lower()


def _number(spec: ControlSpec, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN and the infinities fall outside any range; math.isfinite fails for very large JSON integers.
    if not is_number or not spec.minimum <= value <= spec.maximum:
        raise InvalidValue(spec.name, value, spec.allowed)
    return float(value)
