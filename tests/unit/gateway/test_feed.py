"""When a feed plays its chunks, on a clock and timers that the test controls."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from auralis.audio import due_us
from auralis.channel.state import ChannelState
from auralis.controls import Controls
from auralis.score.entry_id import NO_ENTRY
from services.gateway import feed as feed_module
from services.gateway.feed import Broker, Feed
from services.gateway.frames import Chunk
from services.gateway.metrics import GatewayMetrics
from tests.unit.gateway.ringing import EPOCH_US, at, chunk, fetched

FIRST, LAST = 100, 119
READING_US = 20  # how far the clock advances between two readings
STATE = ChannelState("main", EPOCH_US, 1, 44_100, True, Controls(), 0, 0, 0, 0, None, NO_ENTRY)


class Time:
    """A clock that advances whenever it is read; its timers fire ``early_us`` too early."""

    def __init__(self, early_us: int) -> None:
        self.at_us = at(FIRST - 1, 500)
        self._early_us = early_us

    def now_us(self) -> int:
        self.at_us += READING_US
        return self.at_us

    async def sleep(self, seconds: float) -> None:
        self.at_us += max(0, round(seconds * 1e6) - self._early_us)
        if self.at_us > at(LAST, 50_000):
            raise asyncio.CancelledError


class Noting(Feed):
    """Notes how late each chunk is sent."""

    late_us: dict[int, int]

    def _send(self, chunk: Chunk) -> None:
        self.late_us[chunk.seq] = self._broker.clock.now_us() - due_us(EPOCH_US, chunk.seq)


@pytest.mark.parametrize("early_us", [0, 1, 15, 30, 400, 1000])
async def test_a_timer_that_is_early_makes_no_chunk_late(
    early_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With uvloop, timers may be up to a millisecond early. What is due meanwhile does not wait."""
    time = Time(early_us)
    monkeypatch.setattr(feed_module.asyncio, "sleep", time.sleep)
    broker = cast("Broker", SimpleNamespace(clock=time))
    playing = Noting(STATE, broker, GatewayMetrics(CollectorRegistry()), lambda *_: None)
    playing.late_us = {}
    playing.playhead.absorb(fetched(at(FIRST - 1), [chunk(seq) for seq in range(FIRST, LAST + 20)]))
    with pytest.raises(asyncio.CancelledError):
        await playing._playing()
    assert list(playing.late_us) == list(range(FIRST, LAST + 1))
    assert 0 <= min(playing.late_us.values()) <= max(playing.late_us.values()) < 2000
