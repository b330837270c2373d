"""Marks: what the composer passes on to the synth of what was turned: brightness, levels, the room.

A value that is what a synth assumes anyway is said where it changes and never repeated.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

import msgspec
from msgspec.structs import replace

from auralis.controls import AUTO, LAYERS, Controls
from auralis.score.events import Automation, Event, Parameter, Room, Space

RAMP_MS: Final = 250
PARAMETERS: Final = cast("tuple[Parameter, ...]", ("brightness", *(f"level_{layer}" for layer in LAYERS)))

_ASSUMED_ROOM: Final[Room] = "hall"
# The sections that leave the hall where the room is the composer's choice: the slow ones go where it rings
# longest, the lightest one where it is clearest. A coda has to end in its time.
_ROOMS: Final[Mapping[str, Room]] = {"still": "cathedral", "dusk": "cathedral", "clearing": "plate"}
# The synth walks from room to room for so long; a walk that is broken off would be a jump.
_WALK_S: Final = 4


def shares_of(controls: Controls) -> tuple[float, ...]:
    """The values of :data:`PARAMETERS`."""
    return tuple(getattr(controls, name) for name in PARAMETERS)


_ASSUMED: Final = shares_of(Controls())


def room_of(controls: Controls, section: str) -> Room:
    """The room that is asked for, or the one that suits the section."""
    return _ROOMS.get(section, _ASSUMED_ROOM) if controls.room == AUTO else cast("Room", controls.room)


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What was last announced: the values of :data:`PARAMETERS`, the room and the frame of its change."""

    shares: tuple[float, ...] = _ASSUMED
    room: Room = _ASSUMED_ROOM
    moved: int | None = None

    def may_move(self, frame: int, sample_rate_hz: int) -> bool:
        """Whether the last change of room is over at ``frame``."""
        return self.moved is None or frame >= self.moved + _WALK_S * sample_rate_hz

    def moved_to(self, room: Room, frame: int) -> "Said":
        """What has been said once the room changes at ``frame``."""
        return replace(self, room=room, moved=frame)


class Moment(NamedTuple):
    """The beat at which something is said; where it ``repeats``, all that differs from what is assumed.

    A change is a ramp of so many frames.
    """

    frame: int
    sample_rate_hz: int
    ramp_frames: int
    repeats: bool


def said_at(moment: Moment, said: Said, controls: Controls, section: str) -> tuple[list[Event], Said]:
    """The marks that a beat needs, and what has been said with them."""
    wanted = shares_of(controls)
    values = zip(PARAMETERS, wanted, said.shares, _ASSUMED, strict=True)
    marks: list[Event] = [
        Automation(moment.frame, name, moment.ramp_frames, value)
        for name, value, known, assumed in values
        if value != known or (moment.repeats and value != assumed)
    ]
    said, room = replace(said, shares=wanted), room_of(controls, section)
    if said.may_move(moment.frame, moment.sample_rate_hz):
        if room != said.room:
            said = said.moved_to(room, moment.frame)
            marks.append(Space(moment.frame, room))
        elif moment.repeats and room != _ASSUMED_ROOM:
            marks.append(Space(moment.frame, room))
    return marks, said


def turned(
    kept: tuple[Event, ...], said: Said, floor: Moment, was: Controls, now: Controls
) -> tuple[tuple[Event, ...], Said]:
    """``kept``, which is announced from a floor between two beats on, with what changed from ``was``."""
    names = [name for name in ("intensity", *PARAMETERS) if getattr(now, name) != getattr(was, name)]
    others = tuple(e for e in kept if not (isinstance(e, Automation) and e.parameter in names))
    ramps = tuple(Automation(floor.frame, name, floor.ramp_frames, getattr(now, name)) for name in names)
    shares = tuple(
        getattr(now, name) if name in names else known
        for name, known in zip(PARAMETERS, said.shares, strict=True)
    )
    return (*ramps, *others), replace(said, shares=shares)


def moved(kept: tuple[Event, ...], said: Said, floor: Moment, room: Room) -> tuple[tuple[Event, ...], Said]:
    """``kept`` with a change of room, unless the last one is not over: then a later beat says it.

    A change that nobody has heard yet leads elsewhere instead.
    """
    pending = next((event.at_frame for event in kept if isinstance(event, Space)), None)
    frame = floor.frame if pending is None else pending
    if room == said.room or (pending is None and not said.may_move(frame, floor.sample_rate_hz)):
        return kept, said
    others = (event for event in kept if not isinstance(event, Space))
    return tuple(sorted((Space(frame, room), *others), key=_at_frame)), said.moved_to(room, frame)


def _at_frame(event: Event) -> int:
    return event.at_frame
