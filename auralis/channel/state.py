"""A channel's state in the broker."""

import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec
from redis.asyncio import Redis

from auralis.broker import LuaFunction
from auralis.controls import Controls, changed, validated
from auralis.errors import ChannelExists, ChannelNotFound, InvalidValue
from auralis.keyspace import MAIN_CHANNEL, Keyspace, checked_channel_id
from auralis.score.entry_id import NO_ENTRY, EntryId

_create: Final = LuaFunction("auralis.channel", "create.lua")
_control: Final = LuaFunction("auralis.channel", "control.lua")
_quality: Final = LuaFunction("auralis.channel", "quality.lua")
_announce: Final = LuaFunction("auralis.channel", "announce.lua")
_SEED_BITS: Final = 32
_NO_CHANGES: Final = msgspec.msgpack.encode({})


class ChannelState(NamedTuple):
    """One channel's state hash.

    ``controls`` and ``revision`` are the last accepted, ``composed_revision`` is the one that the score takes
    into account. ``version`` counts the composer's writes; ``plan`` and ``control_id`` are its checkpoint.
    """

    id: str
    epoch_us: int
    seed: int
    sample_rate_hz: int
    always_on: bool
    controls: Controls
    revision: int
    composed_revision: int
    version: int
    until_frame: int
    plan: bytes | None
    control_id: EntryId


class QualityRequest(NamedTuple):
    """How much of the sound a worker can render (0-1), from chunk ``from_seq`` on."""

    value: float
    from_seq: int


class ControlChange(NamedTuple):
    """One accepted change, as the composer reads it: of controls by a listener, or of quality by a worker.

    A change of quality does not count as a revision: ``revision`` is then the last one counted.
    """

    id: EntryId
    revision: int
    changes: dict[str, str | float]
    quality: QualityRequest | None = None


class Channels:
    """The channels of one broker."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def ids(self) -> list[str]:
        """All channels, oldest first."""
        return [channel for _, channel in await self.assignments()]

    async def assignments(self) -> list[tuple[EntryId, str]]:
        """The entries of the assignment stream: one per channel."""
        reply = cast("list[tuple[bytes, dict[bytes, bytes]]]", await self._client.xrange(self._keys.channels))
        return [(EntryId.parse(raw_id), fields[b"channel"].decode()) for raw_id, fields in reply]

    async def state(self, channel: str) -> ChannelState:
        """The channel's state.

        Raises:
            ChannelNotFound: there is no such channel.
        """
        raw = cast("dict[bytes, bytes]", await self._client.hgetall(self._keys.state(channel)))
        if b"epoch_us" not in raw:
            raise ChannelNotFound(channel)
        return _state(channel, {name.decode(): value for name, value in raw.items()})

    async def create(
        self,
        channel: str,
        *,
        sample_rate_hz: int,
        seed: int | None = None,
        controls: Controls | None = None,
        always_on: bool = False,
    ) -> None:
        """Create a channel and announce it to composers and synths.

        Raises:
            InvalidValue: the id is not valid.
            ChannelExists: the id is taken.
        """
        fields: dict[str, str | int | float] = {
            "seed": secrets.randbits(_SEED_BITS) if seed is None else seed,
            "sample_rate": sample_rate_hz,
            "always_on": int(always_on),
            **_control_fields(msgspec.structs.asdict(controls or Controls())),
        }
        args = [part for item in fields.items() for part in item]
        created = await _create(self._client, [self._keys.state(checked_channel_id(channel))], args)
        await self._announce(channel)
        if not created:
            raise ChannelExists(channel)

    async def ensure_main(self, *, sample_rate_hz: int, seed: int | None = None) -> None:
        """Create the channel ``main``, which never sleeps, unless it exists."""
        try:
            await self.create(MAIN_CHANNEL, sample_rate_hz=sample_rate_hz, seed=seed, always_on=True)
        except ChannelExists:
            return

    async def delete(self, channel: str) -> None:
        """Delete a channel and everything the broker holds for it.

        Raises:
            ChannelNotFound: there is no such channel.
        """
        entries = [str(entry) for entry, name in await self.assignments() if name == channel]
        keys = self._keys
        removed = await self._client.delete(
            keys.state(channel),
            keys.control(channel),
            keys.score(channel),
            keys.ring(channel),
            keys.ringmeta(channel),
        )
        if entries:
            await self._client.xdel(keys.channels, *entries)
        await self._client.zrem(keys.listeners, channel)
        await self._wake("channels", channel)
        if not removed:
            raise ChannelNotFound(channel)

    async def change(self, channel: str, changes: Mapping[str, Any]) -> int:
        """Accept a control change, which the composer will take into account; return its revision.

        Raises:
            InvalidValue: a name or value is not allowed, or ``changes`` is empty; nothing was changed.
            ChannelNotFound: there is no such channel.
        """
        if not changes:
            raise InvalidValue("controls", {}, "at least one control")
        checked = validated(changes)
        args: list[Any] = [self._keys.wake, f"control {channel}", msgspec.msgpack.encode(checked)]
        args += [part for item in _control_fields(checked).items() for part in item]
        keys = [self._keys.state(channel), self._keys.control(channel)]
        status, revision = await _control(self._client, keys, args)
        if status != b"ok":
            raise ChannelNotFound(channel)
        return int(revision)

    async def ask_quality(self, channel: str, value: float, from_seq: int) -> None:
        """Ask the composer to write quality ``value`` (0-1) into the score, from chunk ``from_seq`` on.

        For workers only: the channel's state does not show it. A channel that no longer exists is ignored.
        """
        keys = [self._keys.state(channel), self._keys.control(channel)]
        asked = msgspec.msgpack.encode(QualityRequest(value, from_seq))
        await _quality(self._client, keys, [self._keys.wake, f"control {channel}", asked, _NO_CHANGES])

    async def control_changes(self, channel: str, after: EntryId = NO_ENTRY) -> list[ControlChange]:
        """The accepted changes after ``after``, in order."""
        reply = await self._client.xrange(self._keys.control(channel), min=f"({after}")
        page = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
        return [_change(EntryId.parse(raw_id), fields) for raw_id, fields in page]

    async def _announce(self, channel: str) -> None:
        """Add the channel's assignment entry unless an earlier attempt did, and wake the workers."""
        await _announce(self._client, [self._keys.channels], [channel])
        await self._wake("channels", channel)

    async def _wake(self, what: str, channel: str) -> None:
        await self._client.publish(self._keys.wake, f"{what} {channel}")


def _change(entry: EntryId, fields: Mapping[bytes, bytes]) -> ControlChange:
    changes = msgspec.msgpack.decode(fields[b"changes"], type=dict[str, str | float])
    asked = fields.get(b"quality")
    quality = msgspec.msgpack.decode(asked, type=QualityRequest) if asked else None
    return ControlChange(entry, int(fields[b"revision"]), changes, quality)


def _control_fields(controls: Mapping[str, str | float]) -> dict[str, str | float]:
    return {f"control:{name}": value for name, value in controls.items()}


def _state(channel: str, raw: dict[str, bytes]) -> ChannelState:
    control_values = {
        name.removeprefix("control:"): value.decode()
        for name, value in raw.items()
        if name.startswith("control:")
    }
    return ChannelState(
        id=channel,
        epoch_us=int(raw["epoch_us"]),
        seed=int(raw["seed"]),
        sample_rate_hz=int(raw["sample_rate"]),
        always_on=raw["always_on"] == b"1",
        controls=_controls(control_values),
        revision=int(raw["revision"]),
        composed_revision=int(raw["composed_revision"]),
        version=int(raw["version"]),
        until_frame=int(raw["until_frame"]),
        plan=raw.get("plan"),
        control_id=EntryId.parse(raw["control_id"]) if "control_id" in raw else NO_ENTRY,
    )


def _controls(values: Mapping[str, str]) -> Controls:
    """Parse controls from their text in the hash."""
    return changed(Controls(), msgspec.structs.asdict(msgspec.convert(values, Controls, strict=False)))
