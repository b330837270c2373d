"""Wake-ups over pub/sub: hints to look now. Whoever misses one looks a second later by itself."""

import asyncio
from typing import Final

import structlog
from redis.asyncio import Redis

from auralis.broker import BROKER_ERRORS, reason
from auralis.keyspace import Keyspace
from auralis.timing import POLL_S

_log = structlog.get_logger()
_BACKOFF_S: Final = 0.2


class WakeUps:
    """Collects what was announced since the last :meth:`wait`: ``(what, channel)`` pairs.

    ``what`` is ``score``, ``control`` or ``channels``. ``client`` is used for this alone.
    """

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._topic = keys.wake
        self._pending: set[tuple[str, str]] = set()
        self._event = asyncio.Event()

    async def wait(self, timeout_s: float = POLL_S) -> set[tuple[str, str]]:
        """What was announced; empty if nothing was within ``timeout_s``."""
        try:
            async with asyncio.timeout(max(timeout_s, 0.0)):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        pending, self._pending = self._pending, set()
        return pending

    @property
    def announced(self) -> bool:
        """Whether a :meth:`wait` would end at once."""
        return self._event.is_set()

    def nudge(self) -> None:
        """End a :meth:`wait` from within the process."""
        self._event.set()

    async def keep(self) -> None:
        """Listen until cancelled; connects again by itself."""
        while True:
            try:
                await self._listen()
            except BROKER_ERRORS as error:
                _log.debug("wake-ups interrupted", reason=reason(error))
                await asyncio.sleep(_BACKOFF_S)

    async def _listen(self) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(self._topic)
            self._event.set()  # whatever was announced before is found by looking
            while True:
                message = await subscription.get_message(timeout=POLL_S)
                if message is not None:
                    what, _, channel = message["data"].decode(errors="replace").partition(" ")
                    self._pending.add((what, channel))
                    self._event.set()
