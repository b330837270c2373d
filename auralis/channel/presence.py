"""Which workers of a group are alive: a killed one is noticed at once, not only after its lease.

Each worker subscribes to a topic of its own, on which nothing is published. When a worker dies, its
connection closes and the broker forgets the topic. When a machine or a network fails, no connection closes:
that is what leases are for.
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
        self._workers_key = keys.workers(group)
        self._worker = worker
        # The workers present at the last call; None before the first call.
        self._seen: frozenset[str] | None = None

    async def vanished(self) -> frozenset[str]:
        """Workers that were present at the last call and no longer are.

        The first call returns those in the group's sorted set that are not present. A worker that is not
        present itself reports none: after the broker's restart all of them reconnect one by one.
        """
        topics = cast("list[bytes]", await self._client.pubsub_channels(self._pattern))
        here = frozenset(topic.decode().removeprefix(self._prefix) for topic in topics)
        if self._worker not in here:
            self._seen = None if self._seen is None else frozenset()
            return frozenset()
        seen = await self._registered() if self._seen is None else self._seen
        self._seen = here
        return seen - here

    async def _registered(self) -> frozenset[str]:
        workers = cast("list[bytes]", await self._client.zrange(self._workers_key, 0, -1))
        return frozenset(worker.decode() for worker in workers)
