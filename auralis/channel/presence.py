"""Who of a group is there: a killed worker is missed at once, and not only after its lease.

Each worker listens to a topic of its own, on which nobody speaks. Whoever dies loses that connection, and the
broker forgets the topic. Where a machine or a network fails no connection ends: that is what leases are for.
"""

from typing import cast

from redis.asyncio import Redis

from auralis.keyspace import Keyspace


class Presence:
    """What one ``worker`` sees of the others in its group."""

    def __init__(self, client: Redis, keys: Keyspace, group: str, worker: str) -> None:
        self._client = client
        self._pattern = keys.presence(group, "*")
        self._prefix = keys.presence(group, "")
        self._book = keys.workers(group)
        self._worker = worker
        # Those that were there at the last look; None: before the first one.
        self._seen: frozenset[str] | None = None

    async def vanished(self) -> frozenset[str]:
        """Workers that were there at the last call and are not any more.

        At the first call those that the group's book has although they are not there. Whoever is not there
        itself misses nobody: after the broker's restart all come back one by one.
        """
        topics = cast("list[bytes]", await self._client.pubsub_channels(self._pattern))
        here = frozenset(topic.decode().removeprefix(self._prefix) for topic in topics)
        if self._worker not in here:
            self._seen = None if self._seen is None else frozenset()
            return frozenset()
        seen = await self._booked() if self._seen is None else self._seen
        self._seen = here
        return seen - here

    async def _booked(self) -> frozenset[str]:
        workers = cast("list[bytes]", await self._client.zrange(self._book, 0, -1))
        return frozenset(worker.decode() for worker in workers)
