"""Limits for one gateway and for one address: the number of listeners, and the rate of requests."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Final

# Twice what one player sends while sliders are dragged; the burst allows for playing with all of them.
CONTROLS_PER_S: Final = 20.0
CONTROLS_BURST: Final = 100.0
_ADDRESSES: Final = 10_000


class Refused(StrEnum):
    """Why a connection was refused."""

    FULL = "full"
    ADDRESS_FULL = "address_full"
    NO_CHANNEL = "no_channel"
    BAD_REQUEST = "bad_request"
    UNAVAILABLE = "unavailable"


class Admission:
    """Counts listeners, in total and by address."""

    def __init__(self, limit: int, limit_per_address: int) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._by_address: Counter[str] = Counter()

    @property
    def listeners(self) -> int:
        """The number of listeners admitted to this gateway."""
        return self._by_address.total()

    def admit(self, address: str) -> Refused | None:
        """Count one listener in, or return why it is refused."""
        if self.listeners >= self._limit:
            return Refused.FULL
        if self._by_address[address] >= self._limit_per_address:
            return Refused.ADDRESS_FULL
        self._by_address[address] += 1
        return None

    def leave(self, address: str) -> None:
        """Count one listener out."""
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]


class RateLimit:
    """A token bucket for each address. ``now_s``: seconds of a monotonic clock."""

    def __init__(
        self, now_s: Callable[[], float], per_s: float = CONTROLS_PER_S, burst: float = CONTROLS_BURST
    ) -> None:
        self._now_s = now_s
        self._per_s = per_s
        self._burst = burst
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> float:
        """Take one token: returns 0 if there was one, else the seconds until there will be one."""
        now = self._now_s()
        level, at = self._levels.pop(address, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._per_s)
        wait_s = 0.0 if level >= 1 else (1 - level) / self._per_s
        self._levels[address] = (level - 1 if level >= 1 else level, now)
        self._forget_full(now)
        return wait_s

    def _forget_full(self, now: float) -> None:
        """Drop the longest idle addresses, which are first: :meth:`take` moves its own to the dict's end."""
        while len(self._levels) > _ADDRESSES:
            del self._levels[next(iter(self._levels))]
        oldest = next(iter(self._levels))
        level, at = self._levels[oldest]
        if level + (now - at) * self._per_s >= self._burst:
            del self._levels[oldest]
