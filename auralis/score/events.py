"""The events of the score and the batch that one log entry carries, as msgpack.

Positions are absolute frames from the channel's epoch; durations are frames; pitches are MIDI note
numbers (60 = middle C), velocities 0–1.
"""

from typing import Annotated, Final, Literal

import msgspec

from auralis.errors import ProtocolError

SCHEMA_VERSION: Final = 1

# 186 years at 48 kHz; the sum of a few such values stays exact in a double.
_LAST_FRAME: Final = 1 << 48
_HELD_PITCHES: Final = 16

Frame = Annotated[int, msgspec.Meta(ge=0, le=_LAST_FRAME)]
Duration = Annotated[int, msgspec.Meta(gt=0, le=_LAST_FRAME)]
Unit = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Pitch = Annotated[float, msgspec.Meta(ge=0.0, le=127.0)]
Layer = Literal["drone", "pad", "choir", "bells", "melody", "answer", "texture", "percussion"]

# "none": dry.
Room = Literal["hall", "cathedral", "plate", "room", "none"]
# What an automation may move; ``level_…`` scales a layer, from muted (0) to its level in the mix (1).
Parameter = Literal[
    "intensity",
    "brightness",
    "quality",
    "level_drone",
    "level_pad",
    "level_choir",
    "level_bells",
    "level_melody",
    "level_answer",
    "level_texture",
    "level_percussion",
]


class _Event(msgspec.Struct, frozen=True, tag_field="type"):
    at_frame: Frame


class Note(_Event, frozen=True, tag="note"):
    """One note of a patch: its gate is open for ``duration_frames``, then it is released.

    ``id`` is unique in its channel and seeds the voice's randomness, so that the note sounds the same on
    any worker.
    """

    id: int
    duration_frames: Duration
    pitch: Pitch
    velocity: Unit
    patch: str
    layer: Layer
    pan: Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)] = 0.0

    @property
    def release_frame(self) -> int:
        """The frame at which the gate closes."""
        return self.at_frame + self.duration_frames


class Chord(_Event, frozen=True, tag="chord"):
    """The harmony from ``at_frame`` on; also held when the score runs out.

    ``root`` is a pitch class, ``pitches`` the voicing from the bass up.
    """

    duration_frames: Duration
    root: Annotated[int, msgspec.Meta(ge=0, le=11)]
    quality: str
    degree: str
    pitches: Annotated[tuple[Pitch, ...], msgspec.Meta(max_length=_HELD_PITCHES)]


class Automation(_Event, frozen=True, tag="automation"):
    """``parameter`` moves from its current value to ``value``, linearly over ``ramp_frames``.

    ``quality`` is how much of the sound is rendered: 1 until a machine that is too slow asks for less.
    ``brightness`` is neutral at 0.5 and adds to the effect of the intensity; a layer's level is 1 by default.
    """

    parameter: Parameter
    ramp_frames: Frame
    value: Unit


class Tempo(_Event, frozen=True, tag="tempo"):
    """Beats per minute from ``at_frame`` on."""

    bpm: Annotated[float, msgspec.Meta(ge=20.0, le=300.0)]


class Section(_Event, frozen=True, tag="section"):
    """A part of the form begins."""

    name: str


class Patch(_Event, frozen=True, tag="patch"):
    """``layer`` plays with ``patch`` from ``at_frame`` on."""

    layer: Layer
    patch: str


class Space(_Event, frozen=True, tag="space"):
    """The music moves into another room."""

    room: Room


class Revise(_Event, frozen=True, tag="revise"):
    """Drops every event that has not started by ``at_frame``."""


Event = Note | Chord | Automation | Tempo | Section | Patch | Space | Revise


class Batch(msgspec.Struct, frozen=True):
    """What one log entry adds: the whole score of ``[from_frame, until_frame)``.

    A batch that changes what was announced begins with its only :class:`Revise`, at ``from_frame``.
    ``revision`` counts the control changes that the batch takes into account.
    """

    revision: Annotated[int, msgspec.Meta(ge=0)]
    from_frame: Frame
    until_frame: Frame
    events: tuple[Event, ...]
    v: Literal[1] = SCHEMA_VERSION

    @property
    def revises(self) -> bool:
        """Whether the batch replaces what was announced from ``from_frame`` on."""
        return bool(self.events) and isinstance(self.events[0], Revise)


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Batch)


def encode_batch(batch: Batch) -> bytes:
    """The batch as msgpack."""
    return _encoder.encode(batch)


def decode_batch(data: bytes) -> Batch:
    """Decode and check a batch.

    Raises:
        ProtocolError: the bytes are not a batch of this schema, or an event lies outside the batch's range.
    """
    try:
        batch = _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ProtocolError(f"score entry: {error}") from error
    check_batch(batch)
    return batch


def check_batch(batch: Batch) -> None:
    """Check what types can't express: the batch's range, the place of ``revise``, the events' frames.

    Raises:
        ProtocolError: naming the first invalid event.
    """
    if batch.until_frame < batch.from_frame:
        raise ProtocolError(f"batch: until_frame {batch.until_frame} is before from_frame {batch.from_frame}")
    for index, event in enumerate(batch.events):
        if not batch.from_frame <= event.at_frame < max(batch.until_frame, batch.from_frame + 1):
            raise ProtocolError(
                f"{type(event).__name__.lower()} at frame {event.at_frame}: "
                f"expected {batch.from_frame} to {batch.until_frame - 1}"
            )
        if isinstance(event, Revise) and (index > 0 or event.at_frame != batch.from_frame):
            raise ProtocolError(f"revise at frame {event.at_frame}: expected once, first, at from_frame")
