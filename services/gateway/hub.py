"""All mirrored channels of a gateway: opened on demand, closed a while after the last listener has left."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from auralis.audio import AudioFormat
from auralis.broker import BROKER_ERRORS
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.errors import BrokerUnavailable, ChannelNotFound
from auralis.keyspace import MAIN_CHANNEL
from auralis.timing import LISTENER_TTL_S, POLL_S
from services.gateway.feed import Broker, Feed
from services.gateway.metrics import GatewayMetrics
from services.gateway.protocol import CLOSE_GOING_AWAY, CLOSE_NO_CHANNEL

_log = structlog.get_logger()

_BACKOFF_S: Final = 0.2
_BEAT_S: Final = LISTENER_TTL_S / 3
# A channel falls asleep a minute after the last heartbeat; its mirror ends before that, so that the chunks
# missing from then on are not taken for holes.
_LINGER_S: Final = LISTENER_TTL_S / 2


class Hub:
    """The feeds by channel. ``main`` is created with ``audio`` and ``seed`` if it does not exist."""

    def __init__(
        self, broker: Broker, wakeups: WakeUps, metrics: GatewayMetrics, audio: AudioFormat, seed: int | None
    ) -> None:
        self._broker = broker
        self._wakeups = wakeups
        self._metrics = metrics
        self._audio = audio
        self._seed = seed
        self._feeds: dict[str, Feed] = {}
        self._opening = asyncio.Lock()
        self._connected = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Find the broker, then mirror until cancelled."""
        await self._connect()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._broker.clock.keep())
            tasks.create_task(self._wakeups.keep())
            tasks.create_task(self._dispatch())
            tasks.create_task(self._maintain())
            tasks.create_task(self._keep_awake())

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the broker has answered for the first time, or after ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()

    async def stop(self) -> None:
        """End every feed and tell its listeners."""
        feeds, self._feeds = list(self._feeds.values()), {}
        await asyncio.gather(*(feed.stop(CLOSE_GOING_AWAY, "the gateway is going away") for feed in feeds))

    @property
    def clock(self) -> BrokerClock:
        """The broker's clock.

        Raises:
            BrokerUnavailable: it is not known yet.
        """
        if not self._connected.is_set():
            raise BrokerUnavailable("the broker has not answered yet")
        return self._broker.clock

    @property
    def ready(self) -> bool:
        """Whether the broker can be reached and ``main`` is played from the ring."""
        main = self._feeds.get(MAIN_CHANNEL)
        return self._broker.health.reachable and main is not None and main.playhead.fresh()

    @property
    def reachable(self) -> bool:
        """Whether the broker has answered recently."""
        return self._broker.health.reachable

    @property
    def mirrored(self) -> set[str]:
        """The channels that have a feed."""
        return set(self._feeds)

    def listeners(self, channel: str) -> int:
        """How many listen to a channel here."""
        feed = self._feeds.get(channel)
        return feed.listeners if feed else 0

    async def feed(self, channel: str) -> Feed:
        """The channel's feed; opened if there is none.

        Raises:
            ChannelNotFound: there is no such channel.
            BrokerUnavailable, RedisError, OSError: it can't be opened now.
        """
        if channel not in self._feeds:
            async with self._opening:
                if channel not in self._feeds:
                    self._feeds[channel] = await self._open(channel)
        return self._feeds[channel]

    def on_join(self, feed: Feed) -> None:
        """Wake the channel at once if its first listener has just joined: it may have been asleep."""
        if feed.listeners == 1:
            self._in_background(self._beat(feed))

    async def asleep(self, feed: Feed) -> bool:
        """Whether nothing is composed for the channel now, because nobody listens to it at any gateway.

        Raises:
            RedisError, OSError: the broker is away.
        """
        if feed.listeners or feed.state.always_on:
            return False
        return feed.channel not in await self._broker.presence.awake(self._broker.clock.now_us())

    async def _open(self, channel: str) -> Feed:
        if not self._connected.is_set():
            raise BrokerUnavailable("the broker has not answered yet")
        state = await self._broker.channels.state(channel)
        feed = Feed(state, self._broker, self._metrics, self._lost)
        await feed.start()
        _log.debug("channel mirrored", channel=channel)
        return feed

    async def _connect(self) -> None:
        while not self._connected.is_set():
            try:
                await self._broker.clock.start()
                await self._ensure_main()
                self._broker.health.answered()
                self._connected.set()
            except BROKER_ERRORS as error:
                self._broker.health.failed(error)
                await asyncio.sleep(_BACKOFF_S)

    async def _ensure_main(self) -> None:
        await self._broker.channels.ensure_main(sample_rate_hz=self._audio.sample_rate_hz, seed=self._seed)

    async def _dispatch(self) -> None:
        while True:
            for _, channel in await self._wakeups.wait():
                feed = self._feeds.get(channel)
                if feed is not None:
                    feed.refresh_soon()

    async def _maintain(self) -> None:
        """Keep ``main`` open, and close feeds that have had no listener for a while."""
        while True:
            try:
                await self.feed(MAIN_CHANNEL)
            except ChannelNotFound:
                await self._restore_main()
            except BROKER_ERRORS as error:
                self._broker.health.failed(error)
            for feed in list(self._feeds.values()):
                if self._idle(feed):
                    self._close(feed, CLOSE_GOING_AWAY)
            await asyncio.sleep(POLL_S)

    async def _keep_awake(self) -> None:
        """Send regular heartbeats for the channels that have listeners."""
        while True:
            for feed in list(self._feeds.values()):
                if feed.listeners:
                    await self._beat(feed)
            await asyncio.sleep(_BEAT_S)

    async def _beat(self, feed: Feed) -> None:
        try:
            await self._broker.presence.beat(feed.channel, self._broker.clock.now_us())
        except BROKER_ERRORS as error:
            self._broker.health.failed(error)

    def _idle(self, feed: Feed) -> bool:
        idle_s = time.monotonic() - feed.idle_since_s
        return not feed.listeners and not feed.state.always_on and idle_s > _LINGER_S

    def _lost(self, feed: Feed, code: int) -> None:
        if code == CLOSE_NO_CHANNEL and feed.channel == MAIN_CHANNEL:
            self._in_background(self._restore_main())
        else:
            self._close(feed, code)

    async def _restore_main(self) -> None:
        """Recreate ``main``, which must always exist, after the broker lost its data."""
        try:
            await self._ensure_main()
        except BROKER_ERRORS as error:
            self._broker.health.failed(error)

    def _close(self, feed: Feed, code: int) -> None:
        if self._feeds.get(feed.channel) is feed:
            del self._feeds[feed.channel]
            if feed.channel != MAIN_CHANNEL:
                self._metrics.close_channel(feed.channel)
        reason = "no such channel" if code == CLOSE_NO_CHANNEL else "try again"
        self._in_background(feed.stop(code, reason))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
