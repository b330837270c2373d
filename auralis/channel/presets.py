"""Presets: named sets of control values, in one hash for all channels."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis

from auralis.controls import validated
from auralis.errors import InvalidValue
from auralis.keyspace import Keyspace

_ALLOWED: Final = "1 to 64 characters, no '/' and no control characters"
_NAME: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,64}")

ControlValues = dict[str, str | float]


class Presets:
    """The presets of one broker."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._key = keys.presets

    async def all(self) -> dict[str, ControlValues]:
        """All presets by name, sorted."""
        raw = cast("dict[bytes, bytes]", await self._client.hgetall(self._key))
        return {name.decode(): _decode(raw[name]) for name in sorted(raw)}

    async def get(self, name: str) -> ControlValues | None:
        """One preset, or None if there is none with this name."""
        raw = cast("bytes | None", await self._client.hget(self._key, name))
        return None if raw is None else _decode(raw)

    async def put(self, name: str, values: Mapping[str, Any]) -> bool:
        """Save ``values`` (control name → value) as ``name``; return whether the name is new.

        Raises:
            InvalidValue: the name or a value is not allowed, or ``values`` is empty.
        """
        if not _NAME.fullmatch(name):
            raise InvalidValue("name", name, _ALLOWED)
        if not values:
            raise InvalidValue("controls", {}, "at least one control")
        return bool(await self._client.hset(self._key, name, msgspec.json.encode(validated(values))))

    async def delete(self, name: str) -> bool:
        """Delete a preset; return whether it existed."""
        return bool(await self._client.hdel(self._key, name))


def _decode(raw: bytes) -> ControlValues:
    return msgspec.json.decode(raw, type=ControlValues)
