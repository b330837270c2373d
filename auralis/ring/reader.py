"""The ring's reading end: a mirror that fetches only what changed."""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from redis.asyncio import Redis

from auralis.broker import LuaFunction
from auralis.errors import ChannelNotFound
from auralis.keyspace import Keyspace
from auralis.ring.versions import Versions
from auralis.timing import GUARD_US, RING_CHUNKS

_fetch: Final = LuaFunction("auralis.ring", "fetch.lua")


class FetchedChunk(NamedTuple):
    """One chunk as the ring holds it."""

    seq: int
    versions: Versions
    frame: bytes


class Fetched(NamedTuple):
    """The ring at broker time ``now_us``: seqs below ``unfrozen_seq`` can't change any more.

    The ring holds ``first_seq`` to ``head_seq`` (it is empty if the head is lower); ``chunks`` are those
    that the reader did not hold in this version.
    """

    now_us: int
    epoch_us: int
    unfrozen_seq: int
    first_seq: int
    head_seq: int
    chunks: list[FetchedChunk]


class RingReader:
    """Fetches chunks by seq and never removes them."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def fetch(self, channel: str, from_seq: int, held: Mapping[int, Versions]) -> Fetched:
        """Fetch the chunks from ``from_seq`` on that differ from the versions ``held`` (seq → versions).

        Raises:
            ChannelNotFound: the channel does not exist.
        """
        keys = [self._keys.state(channel), self._keys.ring(channel), self._keys.ringmeta(channel)]
        newest = max(held, default=from_seq)
        base = max(from_seq, newest - 2 * RING_CHUNKS)
        known = [str(held.get(seq, "")) for seq in range(base, newest + 1)]
        reply = await _fetch(self._client, keys, [GUARD_US, from_seq, base, *known])
        if not reply:
            raise ChannelNotFound(channel)
        now_us, epoch_us, unfrozen, first, head = (int(value) for value in reply[:5])
        chunks = [
            FetchedChunk(int(seq), Versions.parse(pair), frame)
            for seq, pair, frame in zip(reply[5::3], reply[6::3], reply[7::3], strict=True)
        ]
        return Fetched(now_us, epoch_us, unfrozen, first, head, chunks)

    async def versions(self, channel: str) -> dict[int, Versions]:
        """The versions of all chunks in the ring, by seq."""
        fields = cast("dict[bytes, bytes]", await self._client.hgetall(self._keys.ringmeta(channel)))
        return {int(seq): Versions.parse(pair) for seq, pair in fields.items() if seq != b"first"}
