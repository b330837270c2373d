"""The broker's clock as every service sees it: an offset over the service's own monotonic clock.

The offset is that of the exchange with the shortest round trip of the last minute (as NTP's clock filter
does it: half the round trip bounds the error). Between exchanges, and while the broker is away, the
monotonic clock carries on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import structlog
from redis.asyncio import Redis

from auralis.broker import BROKER_ERRORS

_log = structlog.get_logger()

SYNC_INTERVAL_S: Final = 1.0
WINDOW: Final = 60
# A difference that no round trip explains: the broker's clock was set, or another broker took over.
STEP_US: Final = 20_000


class Exchange(NamedTuple):
    """One question for the time: its round trip and the offset it gives, both in µs."""

    round_trip_us: int
    offset_us: int


class OffsetFilter:
    """The best of the last exchanges."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=WINDOW)

    def add(self, exchange: Exchange) -> None:
        """Take one exchange in; one that contradicts all before it begins a new window."""
        best = self.best
        allowed = STEP_US + exchange.round_trip_us // 2
        if best is not None and abs(exchange.offset_us - best.offset_us) > allowed + best.round_trip_us // 2:
            self._exchanges.clear()
        self._exchanges.append(exchange)

    @property
    def best(self) -> Exchange | None:
        """The exchange with the shortest round trip."""
        return min(self._exchanges, default=None)


def monotonic_us() -> int:
    """This process's monotonic clock in µs."""
    return time.monotonic_ns() // 1000


class BrokerClock:
    """Tells the broker's time without asking it each time."""

    def __init__(self, client: Redis, local_us: Callable[[], int] = monotonic_us) -> None:
        self._client = client
        self._local_us = local_us
        self._filter = OffsetFilter()

    def now_us(self) -> int:
        """Microseconds of the broker's clock; call :meth:`sync` at least once before."""
        best = self._filter.best
        if best is None:
            raise RuntimeError("the clock has not been synchronised yet")
        return self._local_us() + best.offset_us

    def local_s(self, at_us: int) -> float:
        """The monotonic time in seconds at which the broker's clock shows ``at_us``."""
        return (at_us - self.now_us() + self._local_us()) / 1e6

    async def sync(self) -> None:
        """Exchange times once.

        Raises:
            RedisError, OSError: the broker does not answer.
        """
        sent_us = self._local_us()
        seconds, micros = await self._client.time()
        received_us = self._local_us()
        middle_us = (sent_us + received_us) // 2
        self._filter.add(Exchange(received_us - sent_us, int(seconds) * 1_000_000 + int(micros) - middle_us))

    async def start(self) -> None:
        """Synchronise before the first use: the best of a few exchanges."""
        for _ in range(5):
            await self.sync()

    async def keep(self) -> None:
        """Go on synchronising until cancelled."""
        while True:
            await asyncio.sleep(SYNC_INTERVAL_S)
            try:
                await self.sync()
            except BROKER_ERRORS as error:
                _log.debug("clock not synchronised", reason=str(error))


class Clock(Protocol):
    """Anything that tells the broker's time."""

    def now_us(self) -> int:
        """Microseconds of the broker's clock."""
        ...
