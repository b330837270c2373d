"""The broker's clock as every service sees it: an offset added to the service's own monotonic clock.

The offset comes from the exchange with the shortest round trip in the last minute (as in NTP's clock
filter: half the round trip bounds the error). Between exchanges, and while the broker is away, the
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
# A difference that the round trips do not explain: the broker's clock was set, or another broker took over.
STEP_US: Final = 20_000


class Exchange(NamedTuple):
    """One request for the time: its round trip and the resulting offset, both in µs."""

    round_trip_us: int
    offset_us: int


class OffsetFilter:
    """Keeps the latest exchanges and picks the best one."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=WINDOW)

    def add(self, exchange: Exchange) -> None:
        """Add an exchange; one that contradicts the best so far starts a new window."""
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
    """Tells the broker's time without a request for each reading."""

    def __init__(self, client: Redis, local_us: Callable[[], int] = monotonic_us) -> None:
        self._client = client
        self._local_us = local_us
        self._filter = OffsetFilter()

    def now_us(self) -> int:
        """Microseconds of the broker's clock; call :meth:`sync` at least once first."""
        best = self._filter.best
        if best is None:
            raise RuntimeError("the clock has not been synchronised yet")
        return self._local_us() + best.offset_us

    def local_s(self, at_us: int) -> float:
        """The monotonic time in seconds at which the broker's clock shows ``at_us``."""
        return (at_us - self.now_us() + self._local_us()) / 1e6

    async def sync(self) -> None:
        """Ask for the broker's time once and update the offset.

        Raises:
            RedisError, OSError: the broker does not answer.
        """
        sent_us = self._local_us()
        seconds, micros = await self._client.time()
        received_us = self._local_us()
        middle_us = (sent_us + received_us) // 2
        self._filter.add(Exchange(received_us - sent_us, int(seconds) * 1_000_000 + int(micros) - middle_us))

    async def start(self) -> None:
        """Synchronise before the first use, with a few exchanges to choose from."""
        for _ in range(5):
            await self.sync()

    async def keep(self) -> None:
        """Keep synchronising until cancelled."""
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
