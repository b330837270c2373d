"""Which channels have listeners: a channel without any sleeps."""

from typing import cast

from redis.asyncio import Redis

from auralis.keyspace import Keyspace
from auralis.timing import LISTENER_TTL_S


class Listeners:
    """Heartbeats of channels with listeners, in seconds of the broker's clock."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def beat(self, channel: str, now_us: int) -> None:
        """Record that ``channel`` has a listener; wake it if it may be asleep."""
        key = self._keys.listeners
        before = await self._client.zscore(key, channel)
        await self._client.zadd(key, {channel: now_us / 1e6}, gt=True)
        if before is None or float(before) < now_us / 1e6 - LISTENER_TTL_S:
            await self._client.publish(self._keys.wake, f"channels {channel}")

    async def awake(self, now_us: int) -> set[str]:
        """The channels that had a listener within the last minute."""
        oldest = now_us / 1e6 - LISTENER_TTL_S
        reply = await self._client.zrangebyscore(self._keys.listeners, oldest, "+inf")
        names = cast("list[bytes]", reply)
        return {name.decode() for name in names}
