"""The stage for tests of running workers: one channel with a score, real workers, and a listener."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from prometheus_client import CollectorRegistry, Histogram
from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.broker import connect
from auralis.channel.state import Channels, ChannelState
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.events import Automation, Batch, Revise
from auralis.score.log import ScoreWriter
from auralis.score.score import Score
from auralis.timing import first_revisable_seq
from services.synth.metrics import SynthMetrics
from services.synth.worker import Collaborators, Worker
from tests.device import DEVICE
from tests.integration.synth.offline import assert_as_offline, score_of
from tests.unit.synth.scores import phrase

AUDIO = AudioFormat()


class Stage:
    """One channel with a score, and a reader that keeps every frozen chunk."""

    def __init__(self, client: Redis, keys: Keyspace, url: str) -> None:
        self.client, self.keys, self.url = client, keys, url
        self.clock = BrokerClock(client)
        self.channels = Channels(client, keys)
        self.writer = ScoreWriter(client, keys, AUDIO)
        self.frozen: dict[int, bytes] = {}
        self.versions: dict[int, Versions] = {}
        self.metrics: list[SynthMetrics] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.version = 0

    async def state(self) -> ChannelState:
        return await self.channels.state("main")

    async def compose(self, age_s: int = 0) -> None:
        """Write six seconds of music, then silence, which is held; the channel has existed for a while."""
        await self.channels.ensure_main(sample_rate_hz=44_100, seed=5)
        await self.client.hincrby(self.keys.state("main"), "epoch_us", -age_s * 1_000_000)
        await self.clock.start()
        epoch_us = (await self.state()).epoch_us
        start = AUDIO.start_frame(first_revisable_seq(epoch_us, self.clock.now_us() + 20_000))
        shifted = (msgspec.structs.replace(e, at_frame=e.at_frame + start) for e in phrase(AUDIO))
        events = sorted(shifted, key=lambda event: event.at_frame)
        await self.append(Batch(0, start, start + AUDIO.frames(60), tuple(events)))

    async def revise(self, intensity: float, revision: int) -> int:
        """Change the intensity as soon as the log allows; returns the first chunk that carries the change."""
        state = await self.state()
        seq = first_revisable_seq(state.epoch_us, self.clock.now_us() + 5_000)
        frame = AUDIO.start_frame(seq)
        events = (Revise(frame), Automation(frame, "intensity", 11_025, intensity))
        await self.append(Batch(revision, frame, max(state.until_frame, frame + 1), events))
        return seq

    async def append(self, batch: Batch) -> None:
        appended = await self.writer.append("main", self.version, batch, {})
        assert appended.entry_id is not None, appended
        self.version += 1

    async def listen(self, seconds: float) -> None:
        """Listen for a while and keep what is heard."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            await self._read()

    async def filled(self) -> None:
        """Listen until the ring reaches far ahead, as it does soon after a worker has started."""
        async with asyncio.timeout(20):
            while await self._read() < 12:
                pass

    async def _read(self) -> int:
        """Read the ring as a gateway does: frozen chunks once, never two payloads for one seq.

        Returns the number of chunks ahead.
        """
        fetched = await RingReader(self.client, self.keys).fetch("main", max(self.frozen, default=0) - 4, {})
        for chunk in fetched.chunks:
            if chunk.seq < fetched.unfrozen_seq:
                assert self.frozen.setdefault(chunk.seq, chunk.frame) == chunk.frame
                self.versions[chunk.seq] = chunk.versions
        await asyncio.sleep(0.03)
        return fetched.head_seq - fetched.unfrozen_seq

    async def score(self) -> Score:
        return await score_of(self.client, self.keys)

    async def assert_as_offline(self) -> None:
        frozen = {seq: (frame, self.versions[seq]) for seq, frame in self.frozen.items()}
        assert_as_offline(frozen, await self.score(), 5, AUDIO)

    @asynccontextmanager
    async def seen(self, worker: str) -> AsyncIterator[None]:
        """Make ``worker`` count as present, whatever happens to its own connection."""
        async with connect(self.url, name="seen") as own, own.pubsub() as subscription:
            await subscription.subscribe(self.keys.presence("synth", worker))
            yield

    def kill(self, name: str, worker: Worker) -> None:
        """Let ``worker`` die without notice: a killed process does not leave its group."""
        worker._share.membership.leave = _say_nothing  # type: ignore[method-assign]
        self.tasks[name].cancel()

    @asynccontextmanager
    async def working(self, name: str, called: asyncio.Event | None = None) -> AsyncIterator[Worker]:
        """A worker in this process; ``tasks`` has its task. With ``called`` it stands by until then."""
        metrics = SynthMetrics(CollectorRegistry())
        self.metrics.append(metrics)
        async with connect(self.url, name=name) as own, connect(self.url, name=name) as listening:
            clock = BrokerClock(own)
            await clock.start()
            wakeups = WakeUps(listening, self.keys)
            parts = Collaborators(own, self.keys, clock, wakeups, metrics, DEVICE, AUDIO)
            worker = Worker(name, parts)
            task = self.tasks[name] = asyncio.create_task(_run(worker, called))
            try:
                yield worker
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def observations(histogram: Histogram) -> float:
    """How many times something was measured."""
    samples = (each for family in histogram.collect() for each in family.samples)
    return next(each.value for each in samples if each.name.endswith("_count"))


async def _run(worker: Worker, called: asyncio.Event | None) -> None:
    if called is not None:
        await worker.stand_by(called.wait())
    await worker.run()


async def _say_nothing() -> None:
    return
