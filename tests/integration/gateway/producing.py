"""A producer that stands in for synth and composer: real frames in the ring, real batches in the log."""

import asyncio
import contextlib

import msgspec
from redis.asyncio import Redis

from auralis.audio import AudioFormat, due_us, live_seq
from auralis.broker import BROKER_ERRORS
from auralis.channel.state import Channels
from auralis.clock import BrokerClock
from auralis.errors import ChannelNotFound
from auralis.keyspace import MAIN_CHANNEL, Keyspace
from auralis.ring.versions import Versions
from auralis.ring.writer import Outcome, RenderedChunk, RingWriter
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, Event, Revise
from auralis.score.log import ScoreWriter
from auralis.timing import RING_AHEAD_CHUNKS, first_revisable_seq, first_unfrozen_seq
from auralis.wire import Header, pack

AUDIO = AudioFormat()
VERSION = EntryId(1, 0)
_TICK_S = 0.02


def pcm(seq: int) -> bytes:
    """The audio of chunk ``seq``; no other chunk has the same."""
    return (seq % 30_000).to_bytes(2, "little") * (AUDIO.bytes_per_chunk // 2)


def frame(epoch_us: int, seq: int) -> bytes:
    """The item as the ring stores it."""
    return pack(Header(0, 0, 0, seq, due_us(epoch_us, seq)), pcm(seq))


class Producer:
    """Keeps one channel's ring full while it runs, and answers controls if it ``composes``."""

    def __init__(
        self, client: Redis, keys: Keyspace, channel: str = MAIN_CHANNEL, *, composes: bool = False
    ) -> None:
        self.channels = Channels(client, keys)
        self.clock = BrokerClock(client)
        self.channel = channel
        self.epoch_us = 0
        self.composes = composes
        self.playing = True
        self._ring = RingWriter(client, keys)
        self._scores = ScoreWriter(client, keys, AUDIO)
        self._next_seq: int | None = None
        self._heard = NO_ENTRY

    async def run(self) -> None:
        """Produce until cancelled; if the broker is away, try again."""
        await self.clock.start()
        while True:
            with contextlib.suppress(ChannelNotFound, *BROKER_ERRORS):
                await self._produce()
            await asyncio.sleep(_TICK_S)

    async def append(self, *events: Event, seconds: float = 4.0, revision: int = 0) -> Batch:
        """Write and return a batch from the first frame that may change, with the events moved there."""
        state = await self.channels.state(self.channel)
        start = AUDIO.start_frame(first_revisable_seq(state.epoch_us, self.clock.now_us() + 20_000))
        moved = [msgspec.structs.replace(event, at_frame=start + event.at_frame) for event in events]
        batch = Batch(revision, start, start + AUDIO.frames(seconds), (Revise(start), *moved))
        appended = await self._scores.append(self.channel, state.version, batch, {})
        assert appended.entry_id is not None, appended
        return batch

    async def _produce(self) -> None:
        state = await self.channels.state(self.channel)
        if state.epoch_us != self.epoch_us:
            self.epoch_us, self._next_seq, self._heard = state.epoch_us, None, NO_ENTRY
        if self.composes:
            await self._compose()
        last = live_seq(self.epoch_us, self.clock.now_us()) + RING_AHEAD_CHUNKS
        while self.playing and (self._next_seq is None or self._next_seq <= last):
            await self._push()

    async def _push(self) -> None:
        begins = self._next_seq is None
        seq = self._next_seq or first_unfrozen_seq(self.epoch_us, self.clock.now_us()) + 1
        versions = Versions(VERSION, NO_ENTRY if begins else VERSION)
        chunk = RenderedChunk(versions, frame(self.epoch_us, seq))
        reply = await self._ring.push(self.channel, self.epoch_us, seq, [chunk])
        taken = reply.outcome in (Outcome.OK, Outcome.STALE)
        self._next_seq = seq + 1 if taken else None

    async def _compose(self) -> None:
        for change in await self.channels.control_changes(self.channel, after=self._heard):
            await self.append(revision=change.revision)
            self._heard = change.id
