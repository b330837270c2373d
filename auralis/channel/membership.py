"""A worker's membership in its group: which channels it holds, and which channels have listeners."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import structlog

from auralis.broker import BROKER_ERRORS, reason
from auralis.channel.assignment import Assignment
from auralis.channel.listeners import Listeners
from auralis.channel.presence import Presence
from auralis.clock import Clock
from auralis.timing import RENEW_S

_log: Final = structlog.get_logger()

# How often a worker checks that the others are still there.
_LOOK_S: Final = 0.1


class Membership:
    """Renews a worker's channels every third of the lease, and takes those of workers that have vanished.

    ``held`` is the worker's channels, ``with_listeners`` every channel that has listeners; ``changed`` is
    called after each round.
    """

    def __init__(
        self,
        assignment: Assignment,
        presence: Presence,
        listeners: Listeners,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self._assignment = assignment
        self._presence = presence
        self._listeners = listeners
        self._clock = clock
        self._changed = changed
        self.held: frozenset[str] = frozenset()
        self.with_listeners: frozenset[str] = frozenset()
        self.taken_over = 0
        self._round_requested = asyncio.Event()

    def request_round(self) -> None:
        """Make the next round now, because shares have changed."""
        self._round_requested.set()

    async def keep(self) -> None:
        """Renew until cancelled; while the broker is away, everything stays as it was."""
        away = False
        while True:
            due_s = time.monotonic() + RENEW_S
            try:
                await self._round()
                away = False
                await self._watch(due_s)
            except BROKER_ERRORS as error:
                if not away:
                    _log.warning("broker away", reason=reason(error))
                away = True
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _watch(self, until_s: float) -> None:
        """Return when the next round is due or requested, or once vanished workers have been dismissed."""
        while (left_s := until_s - time.monotonic()) > 0:
            if vanished := await self._presence.vanished():
                for worker in sorted(vanished):
                    _log.info("worker gone", worker=worker)
                    await self._assignment.dismiss(worker)
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_LOOK_S, left_s)):
                    await self._round_requested.wait()
                self._round_requested.clear()
                return

    async def leave(self) -> None:
        """Leave the group, so that the others take over at once."""
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
        self.with_listeners = frozenset(await self._listeners.awake(self._clock.now_us()))
        self._changed()
