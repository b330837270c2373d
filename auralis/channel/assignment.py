"""Which worker serves which channel: Redis consumer groups over the stream ``auralis:channels``.

An entry pending for a worker is that worker's channel. A worker renews its entries every third of the lease;
if it fails to, the others take them over. The lease is a hint about work, not a lock: the checks of the ring
and the score log make two owners harmless.
"""

from typing import Any, Final, Literal, NamedTuple, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from auralis.broker import LuaFunction
from auralis.keyspace import Keyspace
from auralis.timing import LEASE_MS

_log = structlog.get_logger()
_claim: Final = LuaFunction("auralis.channel", "claim.lua")
_loads: Final = LuaFunction("auralis.channel", "loads.lua")
_leave: Final = LuaFunction("auralis.channel", "leave.lua")

# The consumer that holds a departed worker's entries: deleting a consumer drops its pending entries.
_NOBODY: Final = "nobody"

Group = Literal["composer", "synth"]


class Held(NamedTuple):
    """The channels of this worker after a round, and how many it took over from workers that died or left."""

    channels: frozenset[str]
    taken_over: int


class Assignment:
    """One worker's membership in a group; call :meth:`round` every third of the lease."""

    def __init__(self, client: Redis, keys: Keyspace, group: Group, worker: str) -> None:
        self._client = client
        self._stream = keys.channels
        self._keys = [keys.channels, keys.workers(group)]
        self._wake = keys.wake
        self._group = group
        self._worker = worker
        self._names: dict[bytes, str] = {}

    async def round(self) -> Held:
        """Renew own channels, take those without a worker, hand over those above the fair share."""
        try:
            return await self._round()
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            await self._create_group()
            return await self._round()

    async def leave(self) -> None:
        """Leave the group; the others take over this worker's channels at once."""
        await self.dismiss(self._worker)
        await self._announce(self._worker)

    async def dismiss(self, worker: str) -> None:
        """Remove ``worker``, which has vanished; whichever worker makes the next round takes its channels.

        If it is alive after all, it rejoins with its next round and gets a fair share again.
        """
        await _leave(self._client, self._keys, [self._group, worker, _NOBODY, 10 * LEASE_MS])

    async def _round(self) -> Held:
        own, taken = await self._claim()
        entries = own + taken + await self._take_new()
        await self._hand_over(entries)
        await self._learn_names()
        channels = frozenset(self._names[entry] for entry in entries if entry in self._names)
        return Held(channels, len(taken))

    async def _claim(self) -> tuple[list[bytes], list[bytes]]:
        own, taken = await _claim(self._client, self._keys, [self._group, self._worker, LEASE_MS])
        return own, taken

    async def _take_new(self) -> list[bytes]:
        reply = await self._client.xreadgroup(self._group, self._worker, {self._stream: ">"})
        streams = cast("list[tuple[bytes, list[tuple[bytes, Any]]]]", reply)
        return [entry for _, entries in streams for entry, _ in entries]

    async def _hand_over(self, own: list[bytes]) -> None:
        """Give entries to the least loaded worker until this one has at most one more than any other."""
        if len(own) < 2:
            return
        loads = await self._loads()
        loads[self._worker] = len(own)
        receivers: set[str] = set()
        while loads[self._worker] - min(loads.values()) >= 2:
            least_loaded = min(loads, key=lambda worker: (loads[worker], worker))
            await self._client.xclaim(self._stream, self._group, least_loaded, 0, [own.pop()], justid=True)
            loads[self._worker] -= 1
            loads[least_loaded] += 1
            receivers.add(least_loaded)
        for worker in receivers:
            await self._announce(worker)

    async def _announce(self, worker: str) -> None:
        """Tell the group that the channels of ``worker`` have changed."""
        await self._client.publish(self._wake, f"{self._group} {worker}")

    async def _loads(self) -> dict[str, int]:
        """The number of entries of each live worker of the group."""
        reply = await _loads(self._client, self._keys, [self._group, LEASE_MS])
        return {worker.decode(): entries for worker, entries in zip(reply[::2], reply[1::2], strict=True)}

    async def _learn_names(self) -> None:
        reply = await self._client.xrange(self._stream)
        self._names = {
            raw_id: fields[b"channel"].decode()
            for raw_id, fields in cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
        }

    async def _create_group(self) -> None:
        """Create the group, after a flush or as the first worker ever; it reads the stream from the start."""
        try:
            await self._client.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        _log.debug("consumer group created", group=self._group)
