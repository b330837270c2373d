"""Marks: the controls that the composer passes on to the synth: brightness, levels, the room.

A value that a synth assumes anyway is announced where it changes but never repeated.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from auralis.controls import AUTO, LAYERS, Controls
from auralis.score.events import Automation, Event, Parameter, Room, Space

RAMP_MS: Final = 250
PARAMETERS: Final = cast("tuple[Parameter, ...]", ("brightness", *(f"level_{layer}" for layer in LAYERS)))

Events = tuple[Event, ...]

_ASSUMED_ROOM: Final[Room] = "hall"
# The sections that leave the hall where the room is the composer's choice: the slow ones for the longest
# reverberation, the lightest one for the brightest. A coda keeps the hall, as it has to end in time.
_ROOMS: Final[Mapping[str, Room]] = {"still": "cathedral", "dusk": "cathedral", "clearing": "plate"}


def shares_of(controls: Controls) -> tuple[float, ...]:
    """The values of :data:`PARAMETERS`."""
    return tuple(getattr(controls, name) for name in PARAMETERS)


_ASSUMED: Final = shares_of(Controls())


def room_of(controls: Controls, section: str) -> Room:
    """The room asked for, or the one that suits the section."""
    return _ROOMS.get(section, _ASSUMED_ROOM) if controls.room == AUTO else cast("Room", controls.room)


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What was last announced: the values of :data:`PARAMETERS`, and the room."""

    shares: tuple[float, ...] = _ASSUMED
    room: Room = _ASSUMED_ROOM


class Moment(NamedTuple):
    """Where marks are announced; a change is a ramp over ``ramp_frames``.

    Where it ``repeats``, every value that differs from the assumed one is announced.
    """

    frame: int
    ramp_frames: int
    repeats: bool = False


def said_at(moment: Moment, said: Said, controls: Controls, section: str) -> tuple[list[Event], Said]:
    """The marks that a beat needs, and what has been announced with them."""
    now = Said(shares_of(controls), room_of(controls, section))
    values = zip(PARAMETERS, now.shares, said.shares, _ASSUMED, strict=True)
    marks: list[Event] = [
        Automation(moment.frame, name, moment.ramp_frames, value)
        for name, value, known, assumed in values
        if value != known or (moment.repeats and value != assumed)
    ]
    if now.room != said.room or (moment.repeats and now.room != _ASSUMED_ROOM):
        marks.append(Space(moment.frame, now.room))
    return marks, now


def turned(
    kept: Events, said: Said, floor: Moment, change: tuple[Controls, Controls], section: str
) -> tuple[Events, Said]:
    """``kept``, the events announced from a floor between two beats on, with marks for a change of controls.

    Its own marks of the same values are replaced: nobody has heard them yet.
    """
    was, now = change
    names = [name for name in ("intensity", *PARAMETERS) if getattr(now, name) != getattr(was, name)]
    marks: list[Event] = [
        Automation(floor.frame, name, floor.ramp_frames, getattr(now, name)) for name in names
    ]
    values = zip(PARAMETERS, said.shares, strict=True)
    said = replace(
        said, shares=tuple(getattr(now, name) if name in names else known for name, known in values)
    )
    if now.room != was.room:
        said = replace(said, room=room_of(now, section))
        marks.append(Space(floor.frame, said.room))
    replaced = {_what(mark) for mark in marks}
    return (*marks, *(event for event in kept if _what(event) not in replaced)), said


def _what(event: Event) -> str | None:
    if isinstance(event, Automation):
        return event.parameter
    return "room" if isinstance(event, Space) else None
