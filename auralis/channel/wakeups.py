"""Wake-ups over pub/sub: hints to look now. A reader that misses one looks within a second anyway."""

import asyncio
import contextlib
from collections.abc import Callable
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

    ``what`` is ``score``, ``control`` or ``channels``, or the name of a group whose members or shares have
    changed (with a worker in place of the channel). ``client`` is used for nothing else.
    """

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._topics = [keys.wake]
        self._pending: set[tuple[str, str]] = set()
        self._event = asyncio.Event()
        self._callbacks: dict[str, Callable[[], None]] = {}
        self._listening = asyncio.Event()

    def subscribe_also(self, topic: str) -> None:
        """Subscribe to ``topic`` from the start, to be visible on it for as long as the connection lasts."""
        self._topics.append(topic)

    def on_announced(self, what: str, callback: Callable[[], None]) -> None:
        """Call ``callback`` as soon as ``what`` is announced, whatever :meth:`wait` is doing."""
        self._callbacks[what] = callback

    async def listening(self, timeout_s: float = POLL_S) -> None:
        """Return once announcements can be heard, or after ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._listening.wait()

    async def wait(self, timeout_s: float = POLL_S) -> set[tuple[str, str]]:
        """Wait for an announcement, a :meth:`nudge` or ``timeout_s``; return what was announced."""
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
        """Whether :meth:`wait` would return at once."""
        return self._event.is_set()

    def nudge(self) -> None:
        """Make :meth:`wait` return, from within the process."""
        self._event.set()

    async def keep(self) -> None:
        """Listen until cancelled; reconnect when the connection is lost."""
        while True:
            try:
                await self._listen()
            except BROKER_ERRORS as error:
                _log.debug("wake-ups interrupted", reason=reason(error))
                await asyncio.sleep(_BACKOFF_S)

    async def _listen(self) -> None:
        async with self._client.pubsub() as subscription:
            await subscription.subscribe(*self._topics)
            while True:
                message = await subscription.get_message(timeout=POLL_S)
                if message is not None and message["type"] == "message":
                    self._hear(message["data"].decode(errors="replace"))
                elif message is not None and message["data"] == len(self._topics):
                    self._listening.set()
                    self._event.set()  # a look now finds whatever was announced before

    def _hear(self, text: str) -> None:
        what, _, channel = text.partition(" ")
        self._pending.add((what, channel))
        self._event.set()
        if what in self._callbacks:
            self._callbacks[what]()
