"""A worker's place in its group, kept up: which channels are its own, and which of them somebody hears."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from auralis.broker import BROKER_ERRORS, reason
from auralis.channel.assignment import Assignment
from auralis.channel.listeners import Listeners
from auralis.clock import Clock
from auralis.timing import RENEW_S

_log: Final = structlog.get_logger()


class Membership:
    """Renews a worker's channels at a third of the lease.

    ``held`` are the worker's channels, ``heard`` all channels with listeners; ``changed`` is called after
    every round.
    """

    def __init__(
        self, assignment: Assignment, listeners: Listeners, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._assignment = assignment
        self._listeners = listeners
        self._clock = clock
        self._changed = changed
        self.held: frozenset[str] = frozenset()
        self.heard: frozenset[str] = frozenset()
        self.taken_over = 0

    async def keep(self) -> None:
        """Renew until cancelled. While the broker is away everything stays as it was."""
        away = False
        while True:
            started = time.monotonic()
            try:
                await self._round()
                away = False
            except BROKER_ERRORS as error:
                if not away:
                    _log.warning("broker away", reason=reason(error))
                away = True
            await asyncio.sleep(max(0.0, RENEW_S - (time.monotonic() - started)))

    async def leave(self) -> None:
        """Leave the group, so that the others go on at once."""
        try:
            await self._assignment.leave()
        except BROKER_ERRORS as error:
            _log.warning("left without telling the broker", reason=reason(error))

    async def _round(self) -> None:
        round_ = await self._assignment.round()
        for channel in sorted(round_.channels - self.held):
            _log.info("channel taken", channel=channel)
        for channel in sorted(self.held - round_.channels):
            _log.info("channel handed over", channel=channel)
        self.held = round_.channels
        self.taken_over += round_.taken_over
        self.heard = frozenset(await self._listeners.awake(self._clock.now_us()))
        self._changed()
