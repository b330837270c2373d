"""One mirrored channel: fetches its ring, plays it to the listeners at the due times, follows its score."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog

from auralis.audio import AudioFormat, due_us, first_seq_due_after, live_seq
from auralis.broker import BROKER_ERRORS
from auralis.channel.listeners import Listeners
from auralis.channel.state import Channels, ChannelState
from auralis.clock import BrokerClock, monotonic_us
from auralis.errors import ChannelNotFound
from auralis.ring.reader import Fetched, RingReader
from auralis.score.entry_id import EntryId
from auralis.score.log import ScoreReader
from auralis.timing import GUARD_US, POLL_S
from services.gateway.broker_health import BrokerHealth
from services.gateway.frames import Chunk, text_frame
from services.gateway.listener import Listener, Tally
from services.gateway.metrics import DROPPED_SLOW, GatewayMetrics
from services.gateway.playhead import Playhead
from services.gateway.protocol import (
    CLOSE_GOING_AWAY,
    CLOSE_NO_CHANNEL,
    CLOSE_TRY_LATER,
    CODECS,
    ScoreMessage,
    ServerMessage,
    StateMessage,
)
from services.gateway.timeline import Timeline

_log = structlog.get_logger()

# A chunk is fetched this long after it freezes: despite the clock's error, the broker sees it frozen too.
SETTLE_US: Final = 10_000
# What sounds now was written at most this long ago; covers the longest notes and chords, and the horizon.
_SCORE_LOOKBACK_MS: Final = 120_000
# Listeners hear with a delay, so events are kept this long for their display.
_SHOWN_CHUNKS: Final = 10
_BACKOFF_S: Final = 0.2
# Withdraws every event that was shown.
_NOTHING: Final = ScoreMessage(0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class Broker:
    """The objects through which the gateway talks to the broker."""

    channels: Channels
    ring: RingReader
    scores: ScoreReader
    presence: Listeners
    clock: BrokerClock
    health: BrokerHealth


class Feed:
    """The mirror of one channel and its listeners.

    ``lost(feed, code)`` is called when it can't go on; ``code`` is the close code that says why.
    """

    def __init__(
        self,
        state: ChannelState,
        broker: Broker,
        metrics: GatewayMetrics,
        lost: Callable[["Feed", int], None],
    ) -> None:
        self.channel = state.id
        self.state = state
        self.audio = AudioFormat(state.sample_rate_hz)
        self.playhead = Playhead()
        self.tally = Tally()
        self.idle_since_s = _now_s()
        self._broker = broker
        self._metrics = metrics
        self._lost = lost
        self._timeline = Timeline()
        self._last_entry = EntryId(0, 0)
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._refresh = asyncio.Event()
        self._advanced = asyncio.Event()
        self._last_state_sent: tuple[Any, ...] = ()
        self._holes = 0
        self._stopped = False

    async def start(self) -> None:
        """Read the current score and ring, then keep the mirror up to date in background tasks.

        Raises:
            ChannelNotFound, RedisError, OSError: nothing was started.
        """
        self._begin_score()
        await self._read_score()
        await self._fetch()
        self._metrics.open_channel(self.channel)
        for work in (self._fetching, self._playing, self._following):
            self._tasks.append(asyncio.create_task(self._guarded(work()), name=f"{self.channel}"))

    async def stop(self, code: int = CLOSE_GOING_AWAY, reason: str = "") -> None:
        """End the mirror and its listeners' connections."""
        self._stopped = True
        self.close_all(code, reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def listeners(self) -> int:
        """How many listen here."""
        return len(self._listeners)

    @property
    def live_seq(self) -> int:
        """The chunk that is due now, counted in the epoch that is being played."""
        return live_seq(self.playhead.epoch_us or self.state.epoch_us, self._broker.clock.now_us())

    def join(self, listener: Listener, hello: ServerMessage) -> None:
        """Greet the listener, send it its backlog now and every further chunk when it is due."""
        self._listeners.add(listener)
        self._report_listeners()
        for message in (hello, self.state_message(), self.score_message()):
            listener.send_text(text_frame(message))
        listener.pump(_now_s())

    def leave(self, listener: Listener) -> None:
        """Remove a listener whose connection has ended."""
        self._listeners.discard(listener)
        self.idle_since_s = _now_s()
        if not self._stopped:
            self._report_listeners()

    def close_all(self, code: int, reason: str) -> None:
        """End every listener's connection."""
        for listener in list(self._listeners):
            listener.close(code, reason)

    def refresh_soon(self) -> None:
        """Read the channel's state and score now: something has happened to it."""
        self._refresh.set()

    def state_message(self) -> StateMessage:
        """The channel as it is now."""
        state = self.state
        return StateMessage(state.controls, state.revision, self.live_seq, self.listeners, state.epoch_us)

    def score_message(self) -> ServerMessage:
        """The events that sound now or are still to come."""
        return self._timeline.snapshot(self._shown_frame())

    async def revised_seq(self, revision: int, timeout_s: float) -> int | None:
        """The first chunk whose score takes control change ``revision`` into account; None if timed out."""
        try:
            async with asyncio.timeout(timeout_s):
                while (frame := self._timeline.revised_from(revision)) is None:
                    await self._advanced.wait()
        except TimeoutError:
            return None
        return self.audio.seq_at(frame)

    # The ring: fetched by one task, played by another, so that a slow broker delays no listener.

    async def _fetching(self) -> None:
        while True:
            await self._until_settled()
            try:
                await self._fetch()
            except ChannelNotFound:
                self._refresh.set()
            except BROKER_ERRORS as error:
                self._broker.health.failed(error)

    async def _until_settled(self) -> None:
        now_us = self._broker.clock.now_us()
        epoch_us = self.playhead.epoch_us or self.state.epoch_us
        seq = first_seq_due_after(epoch_us, now_us + GUARD_US - SETTLE_US + 1)
        await asyncio.sleep((due_us(epoch_us, seq) - GUARD_US + SETTLE_US - now_us) / 1e6)

    async def _fetch(self) -> None:
        playhead = self.playhead
        fetched = await self._broker.ring.fetch(self.channel, playhead.from_seq, playhead.versions)
        self._broker.health.answered()
        if playhead.absorb(fetched):
            self._begin_epoch(fetched)

    def _report_listeners(self) -> None:
        self._metrics.listeners.labels(self.channel, CODECS[0]).set(len(self._listeners))

    def _begin_epoch(self, fetched: Fetched) -> None:
        _log.warning("the channel was recreated", channel=self.channel, epoch_us=fetched.epoch_us)
        for listener in self._listeners:
            listener.begin_epoch()
        self._refresh.set()

    async def _playing(self) -> None:
        clock = self._broker.clock
        sent_us = clock.now_us()  # chunks due before this count as sent
        while True:
            await asyncio.sleep((self._due_after(sent_us) - clock.now_us()) / 1e6)
            # Read the clock once only: a timer may fire early (under uvloop by a millisecond), and a chunk
            # that became due between two readings would wait until the next one is due.
            sent_us = clock.now_us()
            for chunk in self.playhead.due(sent_us):
                self._send(chunk)
            self._count()

    def _due_after(self, at_us: int) -> int:
        epoch_us = self.playhead.epoch_us or self.state.epoch_us
        return due_us(epoch_us, live_seq(epoch_us, at_us) + 1)

    def _send(self, chunk: Chunk) -> None:
        now_s = _now_s()
        for listener in list(self._listeners):
            listener.offer(chunk, now_s)
        if self._listeners:
            late_us = self._broker.clock.now_us() - chunk.header.due_us
            self._metrics.lateness.observe(max(late_us, 0) / 1e6)

    def _count(self) -> None:
        tally, metrics = self.tally, self._metrics
        metrics.sent.inc(tally.sent)
        metrics.dropped.labels(DROPPED_SLOW).inc(tally.dropped)
        tally.sent = tally.dropped = 0
        metrics.ring_depth.labels(self.channel).set(self.playhead.depth())
        metrics.ring_underruns.labels(self.channel).inc(self.playhead.holes - self._holes)
        self._holes = self.playhead.holes

    # The score and the state, for display and for acknowledging controls.

    async def _following(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._refresh.wait()
            except TimeoutError:
                pass
            self._refresh.clear()
            try:
                await self._follow()
            except ChannelNotFound:
                self._lost(self, CLOSE_NO_CHANNEL)
                await asyncio.sleep(_BACKOFF_S)
            except BROKER_ERRORS as error:
                self._broker.health.failed(error)
                await asyncio.sleep(_BACKOFF_S)

    async def _follow(self) -> None:
        state = await self._broker.channels.state(self.channel)
        if state.epoch_us != self.state.epoch_us:
            self._begin_score()
            self._broadcast(_NOTHING)
        if state.sample_rate_hz != self.state.sample_rate_hz:
            self._change_format(state.sample_rate_hz)
        self.state = state
        await self._read_score()
        self._broadcast_state()

    async def _read_score(self) -> None:
        entries = await self._broker.scores.read(self.channel, after=self._last_entry)
        for entry in entries:
            self._last_entry = entry.id
            self._broadcast(self._timeline.apply(entry.batch))
        if entries:
            self._timeline.forget(self._shown_frame())
            self._advanced.set()
            self._advanced = asyncio.Event()

    def _begin_score(self) -> None:
        now_ms = self._broker.clock.now_us() // 1000
        self._timeline = Timeline()
        self._last_entry = EntryId(max(now_ms - _SCORE_LOOKBACK_MS, 0), 0)

    def _change_format(self, sample_rate_hz: int) -> None:
        """Disconnect the listeners, who were told another rate: on reconnecting they are told the new one."""
        self.audio = AudioFormat(sample_rate_hz)
        self.playhead = Playhead()
        self.close_all(CLOSE_GOING_AWAY, "the channel's format has changed")

    def _broadcast_state(self) -> None:
        state = self.state
        current = (state.controls, state.revision, state.epoch_us, self.listeners)
        if current != self._last_state_sent:
            self._last_state_sent = current
            self._broadcast(self.state_message())

    def _broadcast(self, message: ServerMessage) -> None:
        if self._listeners:
            frame = text_frame(message)
            for listener in list(self._listeners):
                listener.send_text(frame)

    def _shown_frame(self) -> int:
        return self.audio.start_frame(max(0, self.live_seq - _SHOWN_CHUNKS))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work``: an unexpected error is logged and ends this feed alone; a new one opens on demand."""
        try:
            await work
        except Exception:  # noqa: BLE001  logged in full; other channels play on
            _log.exception("a channel's feed failed", channel=self.channel)
            self._lost(self, CLOSE_TRY_LATER)


def _now_s() -> float:
    return monotonic_us() / 1e6
