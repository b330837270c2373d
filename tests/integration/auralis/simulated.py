"""A channel on a real broker whose time the test moves: it sets the epoch back; the broker's clock runs on.

Between two steps the channel's time is known exactly; a step that took so long that a chunk froze
meanwhile is recognised, and only its invariants are checked.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

from redis.asyncio import Redis

from auralis.audio import CHUNK_US
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.keyspace import Keyspace

T = TypeVar("T")

# A channel's time is set to just after a chunk's due time: nothing freezes for 50 ms from then on.
PHASE_US = 100
STEADY_US = 45_000


class SimulatedChannel:
    """One channel at chunk ``live``, with a client that runs step by step in a separate event loop."""

    def __init__(self, runner: asyncio.Runner, url: str, *, live: int = 1_000, created: bool = False) -> None:
        self._runner = runner
        self.id = "ch"
        self.keys = Keyspace(f"test-{secrets.token_hex(4)}")
        self.live = live
        self.epoch_us = 0
        self._url = url
        self.client: Redis = self.run(self._connect())
        self._set_us = 0
        if created:
            self.run(Channels(self.client, self.keys).create(self.id, sample_rate_hz=48_000))
        self.settle()

    async def _connect(self) -> Redis:
        return connect(self._url, name="simulated")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one operation on the broker."""
        return self._runner.run(work)

    def settle(self) -> None:
        """Set the channel's time to the beginning of its live chunk."""
        self._set_us = self.run(self._now_us())
        self.epoch_us = self._set_us - PHASE_US - self.live * CHUNK_US
        self.run(self.client.hset(self.keys.state(self.id), "epoch_us", self.epoch_us))

    @property
    def steady(self) -> bool:
        """Whether nothing has frozen since :meth:`settle`."""
        return self.run(self._now_us()) - self._set_us < STEADY_US

    def close(self) -> None:
        """Delete everything the channel left behind and disconnect."""
        self.run(self._close())

    async def _close(self) -> None:
        async for key in self.client.scan_iter(f"{self.keys.prefix}:*"):
            await self.client.delete(key)
        await self.client.aclose()

    async def _now_us(self) -> int:
        seconds, micros = await self.client.time()
        return int(seconds) * 1_000_000 + int(micros)
