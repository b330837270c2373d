"""One process's share of the channels: its membership in the group, and the loop that calls its work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog
from redis.asyncio import Redis

from auralis.broker import BROKER_ERRORS, reason
from auralis.channel.assignment import Assignment, Group
from auralis.channel.listeners import Listeners
from auralis.channel.membership import Membership
from auralis.channel.presence import Presence
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace
from auralis.timing import POLL_S

_log = structlog.get_logger()

_BACKOFF_S: Final = 0.2


class Round(NamedTuple):
    """One call of ``work``: what was announced since the last, and whether everything is due for a check.

    Announcements are hints that may be missed, so everything is checked once a second.
    """

    announced: Set[tuple[str, str]]
    everything: bool

    def announces(self, what: str) -> set[str]:
        """The channels for which ``what`` was announced."""
        return {channel for kind, channel in self.announced if kind == what}


@dataclass(frozen=True, slots=True)
class Link:
    """A worker's link to the broker; ``wakeups`` listens on a connection of its own."""

    client: Redis
    keys: Keyspace
    clock: BrokerClock
    wakeups: WakeUps


class Share:
    """Keeps a worker in ``group`` and calls its work."""

    def __init__(self, group: Group, name: str, link: Link) -> None:
        self._group = group
        self._clock = link.clock
        self._wakeups = link.wakeups
        self.membership = Membership(
            Assignment(link.client, link.keys, group, name),
            Presence(link.client, link.keys, group, name),
            Listeners(link.client, link.keys),
            link.clock,
            changed=link.wakeups.nudge,
        )
        link.wakeups.subscribe_also(link.keys.presence(group, name))
        link.wakeups.on_announced(group, self.membership.request_round)

    async def keep(
        self, work: Callable[[Round], Awaitable[None]], on_broker_error: Callable[[], None], tick_s: float
    ) -> None:
        """Call ``work`` when something was announced, and at least every ``tick_s``, until cancelled.

        If the broker fails, ``on_broker_error`` is called, since it is unknown what was written. At the end
        the worker leaves the group, so that the others take over at once.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._wakeups.keep())
                tasks.create_task(self._clock.keep())
                tasks.create_task(self._keep_membership())
                tasks.create_task(self._keep_working(work, on_broker_error, tick_s))
        finally:
            await self.membership.leave()

    async def _keep_membership(self) -> None:
        """Join only once subscribed: the others take a member that is not present for dead."""
        await self._wakeups.listening()
        await self.membership.keep()

    async def _keep_working(
        self, work: Callable[[Round], Awaitable[None]], on_broker_error: Callable[[], None], tick_s: float
    ) -> None:
        looked = 0.0
        while True:
            announced = await self._wakeups.wait(tick_s)
            everything = time.monotonic() - looked > POLL_S
            if everything:
                looked = time.monotonic()
            try:
                await work(Round(announced, everything))
            except BROKER_ERRORS as error:
                _log.debug("work paused", group=self._group, reason=reason(error))
                on_broker_error()
                await asyncio.sleep(_BACKOFF_S)

    @property
    def held(self) -> frozenset[str]:
        """The channels that this process holds."""
        return self.membership.held

    def awake(self, channel: str, *, always_on: bool) -> bool:
        """Whether ``channel`` needs work: it has a listener, or it never sleeps."""
        return always_on or channel in self.membership.with_listeners
