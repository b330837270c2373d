"""Real workers at a real broker: takeover, two owners, revisions; every byte as the offline render has it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Histogram
from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.broker import connect
from auralis.channel import assignment
from auralis.channel.state import Channels, ChannelState
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Automation, Batch, Revise, encode_batch
from auralis.score.log import ScoreWriter
from auralis.score.score import Score
from auralis.timing import RING_CHUNKS, first_revisable_seq, first_unfrozen_seq
from auralis.wire import unpack
from services.offline.replay import replay
from services.synth.metrics import SynthMetrics
from services.synth.renderer import Job, Renderer
from services.synth.rendering import Rendering
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
        """Write six seconds of music, then silence that is held; the channel has been there for a while."""
        await self.channels.ensure_main(sample_rate_hz=44_100, seed=5)
        await self.client.hincrby(self.keys.state("main"), "epoch_us", -age_s * 1_000_000)
        await self.clock.start()
        epoch_us = (await self.state()).epoch_us
        start = AUDIO.start_frame(first_revisable_seq(epoch_us, self.clock.now_us() + 20_000))
        shifted = (msgspec.structs.replace(e, at_frame=e.at_frame + start) for e in phrase(AUDIO))
        events = sorted(shifted, key=lambda event: event.at_frame)
        await self.append(Batch(0, start, start + AUDIO.frames(60), tuple(events)))

    async def revise(self, intensity: float, revision: int) -> int:
        """Change the intensity as soon as the log allows; the first chunk that carries it."""
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
        """Keep what can be heard for a while."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            await self._read()

    async def filled(self) -> None:
        """Listen until the ring reaches far ahead, as it does soon after a worker has begun."""
        async with asyncio.timeout(20):
            while await self._read() < 12:
                pass

    async def _read(self) -> int:
        """Read the ring as a gateway does: frozen chunks once, never two payloads for one seq.

        Gives the chunks that are ahead.
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
        """Have ``worker`` seen, whatever becomes of its own connection."""
        async with connect(self.url, name="seen") as own, own.pubsub() as subscription:
            await subscription.subscribe(self.keys.presence("synth", worker))
            yield

    @asynccontextmanager
    async def working(self, name: str) -> AsyncIterator[Worker]:
        """A worker in this process; ``tasks`` has its task."""
        metrics = SynthMetrics(CollectorRegistry())
        self.metrics.append(metrics)
        async with connect(self.url, name=name) as own, connect(self.url, name=name) as listening:
            clock = BrokerClock(own)
            await clock.start()
            wakeups = WakeUps(listening, self.keys)
            parts = Collaborators(own, self.keys, clock, wakeups, metrics, DEVICE, AUDIO)
            worker = Worker(name, parts)
            task = self.tasks[name] = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@pytest.fixture
async def stage(client: Redis, keys: Keyspace, redis_url: str) -> Stage:
    """A channel that has just been composed."""
    made = Stage(client, keys, redis_url)
    await made.compose()
    return made


async def test_the_ring_is_the_offline_render(stage: Stage) -> None:
    """What a worker puts into the ring is, byte for byte, what the finished log gives without a broker."""
    async with stage.working("one"):
        await stage.filled()
        await stage.listen(1.5)
    # A chunk that the ring began with fades in.
    begun = max(seq for seq in stage.frozen if stage.versions[seq].predecessor == NO_ENTRY)
    seqs = [seq for seq in sorted(stage.frozen) if seq > begun]
    assert len(seqs) > 10
    score = await stage.score()
    for seq, pcm in zip(seqs, replay(score, 5, AUDIO, seqs, DEVICE), strict=True):
        assert bytes(unpack(stage.frozen[seq])[1]) == pcm


async def test_what_reaches_the_ring_is_timed(stage: Stage) -> None:
    """Every chunk that the ring holds."""
    async with stage.working("one"):
        await stage.filled()
        (metrics,) = stage.metrics
        held = len(await RingReader(stage.client, stage.keys).versions("main"))
        async with asyncio.timeout(20):  # the worker may not have read the last reply yet
            while _observations(metrics.chunk_seconds) < held:
                await stage.listen(0.03)


def _observations(histogram: Histogram) -> float:
    samples = (each for family in histogram.collect() for each in family.samples)
    return next(each.value for each in samples if each.name.endswith("_count"))


@pytest.mark.parametrize("missed_by", ["its connection", "its lease"])
async def test_a_killed_worker_is_not_heard(
    stage: Stage, missed_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies in mid-note without a word; the other one takes over with the same bytes."""
    if missed_by == "its connection":
        monkeypatch.setattr(assignment, "LEASE_MS", 60_000)
    async with stage.working("one") as one:
        await stage.filled()
        one._share.membership.leave = _say_nothing  # type: ignore[method-assign]
        async with stage.working("two"), stage.seen("one" if missed_by == "its lease" else "nobody"):
            stage.tasks["one"].cancel()
            unfrozen = first_unfrozen_seq((await stage.state()).epoch_us, stage.clock.now_us())
            await stage.listen(3.0)
    assert max(stage.frozen) > unfrozen + RING_CHUNKS
    await stage.assert_as_offline()


async def test_a_long_log_is_forgotten_before_anything_is_rendered_from_it(
    client: Redis, keys: Keyspace, redis_url: str
) -> None:
    """Each view of an hour would take 9 ms, and a channel's past needs one for every second."""
    stage, known, asked = Stage(client, keys, redis_url), list[int](), asyncio.Event()
    await stage.compose(age_s=600)

    async def nothing() -> bool:
        known.extend(len(channel.score._entries) for channel in one._tracked.values())
        if known:
            asked.set()
        return False

    async with stage.working("one"):
        await stage.filled()
    await _lengthen(stage, 500)
    async with stage.working("one") as one:
        one._render_most_urgent = nothing  # type: ignore[method-assign]
        await asyncio.wait_for(asked.wait(), 20)
    assert known[0] < 20


async def test_who_has_nothing_to_render_gets_ready_for_the_channels_of_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, asked = set[Rendering](), asyncio.Event()

    def get_ready(engine: Rendering, audio: AudioFormat) -> None:
        assert audio == AUDIO
        ready.add(engine)
        asked.set()

    async with stage.working("one"):
        await stage.filled()
        monkeypatch.setattr(Rendering, "get_ready", get_ready)
        async with stage.working("two") as two:
            async with asyncio.timeout(20):
                while two._engine not in ready:
                    await asked.wait()
                    asked.clear()
            assert two._share.held == frozenset()


async def _lengthen(stage: Stage, entries: int) -> None:
    """Put so many entries before those of the log."""
    log = stage.keys.score("main")
    written = await stage.client.xrange(log)
    await stage.client.delete(log)
    for number in range(entries):
        earlier = encode_batch(Batch(0, AUDIO.frames(number), AUDIO.frames(number + 1), ()))
        await stage.client.xadd(log, {"batch": earlier}, id=f"{number + 1}-0")
    for entry_id, fields in written:
        await stage.client.xadd(log, fields, id=entry_id)


async def _say_nothing() -> None:
    """A killed process does not leave its group."""


async def test_two_owners_are_harmless(stage: Stage) -> None:
    """A worker that was stopped past its lease goes on: both push the same bytes, one is refused."""
    async with stage.working("one"):
        await stage.filled()
        async with stage.working("two") as two:
            await _believe(two, "main")
            await stage.listen(1.5)
    await stage.assert_as_offline()
    refused = [
        sample.value
        for metrics in stage.metrics
        for family in metrics.refused.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["reason"] == "stale"
    ]
    assert sum(refused) > 0


async def _believe(worker: Worker, channel: str) -> None:
    """Let ``worker`` take ``channel`` for its own, whatever the broker says."""

    async def nothing_new() -> None:
        worker._share.membership.held = frozenset({channel})

    worker._share.membership._round = nothing_new  # type: ignore[method-assign]
    await nothing_new()


async def test_revisions_are_exact_and_their_delays_are_counted(stage: Stage) -> None:
    """A revision is heard from the promised chunk on; chunks that a busy machine misses are counted."""
    promised = {}
    async with stage.working("one"):
        await stage.filled()
        for number in range(1, 6):
            promised[number] = await stage.revise(number % 2, number)
            await stage.listen(0.35)
        await stage.listen(0.6)
    await stage.assert_as_offline()
    revision_of = {seq: unpack(frame)[0].revision for seq, frame in stage.frozen.items()}
    for number, seq in promised.items():
        assert min(s for s, revision in revision_of.items() if revision >= number) >= seq
    (metrics,) = stage.metrics
    missed = metrics.deadline_misses.collect()[0].samples[0].value
    assert missed == sum(revision_of[s] < _due_revision(s, promised) for s in revision_of)


async def test_a_revision_does_not_wait_until_a_busy_worker_is_done(stage: Stage) -> None:
    """What is announced while a batch is rendered is read before the next one."""
    known = list[EntryId]()

    async def endless() -> bool:
        known.append(one._tracked["main"].score.last_id)
        await asyncio.sleep(0.02)
        return True

    async with stage.working("one") as one:
        await stage.filled()
        one._render_most_urgent = endless  # type: ignore[method-assign]
        before = one._tracked["main"].score.last_id
        await stage.listen(0.1)  # until the worker is busy
        await stage.revise(1.0, 1)
        known.clear()
        await asyncio.sleep(0.2)
    assert known.count(before) <= 2
    assert len(known) > 4


async def test_voices_are_built_before_they_begin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the chunks, not in one that waits for them."""
    build, onsets = Renderer.build_ahead, set[int]()

    def watched(renderer: Renderer, jobs: Sequence[Job]) -> None:
        last = max(AUDIO.end_frame(job.seq) for job in jobs)
        build(renderer, jobs)
        notes = (note for (note, _), _ in renderer._cast._voices._kept.values())
        onsets.update(note.at_frame for note in notes if note.at_frame >= last)

    monkeypatch.setattr(Renderer, "build_ahead", watched)
    async with stage.working("one"):
        await stage.filled()
        await stage.listen(1.0)
    score = await stage.score()
    assert onsets
    assert onsets <= {note.at_frame for note in score.view().notes(0, score.until_frame)}


def _due_revision(seq: int, promised: dict[int, int]) -> int:
    """The revision that chunk ``seq`` should carry."""
    return max((number for number, first in promised.items() if first <= seq), default=0)
