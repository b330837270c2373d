"""A worker, a composer and a broker: quality goes down, comes back, and every byte is in the log."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import torch
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.events import Automation
from auralis.score.score import Score
from auralis.wire import unpack
from services.composer import service as composer
from services.composer.metrics import ComposerMetrics
from services.synth import ladder, worker
from services.synth.dsp.arrays import Device
from services.synth.ladder import LOOKS
from services.synth.metrics import SynthMetrics
from services.synth.renderer import Job, Renderer
from services.synth.rendering import Rendering
from tests.integration.synth.offline import assert_as_offline, score_of

AUDIO = AudioFormat()
SEED = 5
CPU = "cpu"


class Stage:
    """A channel that is composed and rendered, and a reader that keeps every frozen chunk."""

    def __init__(self, client: Redis, keys: Keyspace, url: str) -> None:
        self.client, self.keys, self.url = client, keys, url
        self.channels = Channels(client, keys)
        self.ring = RingReader(client, keys)
        self.metrics = SynthMetrics(CollectorRegistry())
        self.frozen: dict[int, tuple[bytes, Versions]] = {}

    async def until(self, reached: Callable[[], bool], seconds: float = 15.0) -> None:
        """Listen until a condition holds."""
        async with asyncio.timeout(seconds):
            while not reached():
                await self.listen()

    async def listen(self) -> None:
        """Read the ring as a gateway does: frozen chunks once, never two payloads for one seq."""
        fetched = await self.ring.fetch("main", max(self.frozen, default=0) - 4, {})
        for chunk in fetched.chunks:
            if chunk.seq < fetched.unfrozen_seq:
                held = self.frozen.setdefault(chunk.seq, (chunk.frame, chunk.versions))
                assert held[0] == chunk.frame
        await asyncio.sleep(0.03)

    def value(self, name: str) -> float:
        """A metric of the worker, summed over its labels."""
        metric = getattr(self.metrics, name)
        samples = (sample for family in metric.collect() for sample in family.samples)
        return sum(sample.value for sample in samples if not sample.name.endswith("_created"))

    async def score(self) -> Score:
        return await score_of(self.client, self.keys)

    async def assert_as_offline(self) -> None:
        assert_as_offline(self.frozen, await self.score(), SEED, AUDIO, CPU)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[worker.Worker]:
        """A composer and a worker in this process."""
        async with AsyncExitStack() as open_:
            link, other = [await self._link(open_) for _ in range(2)]
            composes = composer.Composer(
                "one", composer.Collaborators(*link, ComposerMetrics(CollectorRegistry()))
            )
            renders = worker.Worker("two", worker.Collaborators(*other, self.metrics, CPU, AUDIO))
            tasks = [asyncio.create_task(each.run()) for each in (composes, renders)]
            try:
                yield renders
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task

    async def _link(self, open_: AsyncExitStack) -> tuple[Redis, Keyspace, BrokerClock, WakeUps]:
        own, listening = [await open_.enter_async_context(connect(self.url, name="q")) for _ in range(2)]
        clock = BrokerClock(own)
        await clock.start()
        return own, self.keys, clock, WakeUps(listening, self.keys)


@pytest.fixture
async def stage(client: Redis, keys: Keyspace, redis_url: str) -> Stage:
    """A channel that no service has worked on yet."""
    made = Stage(client, keys, redis_url)
    await made.channels.ensure_main(sample_rate_hz=44_100, seed=SEED)
    return made


async def test_an_overload_lowers_quality_and_calm_brings_it_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score says so, starting at chunks that have not been rendered yet; no revision is counted."""
    monkeypatch.setattr(ladder, "CALM_S", 1.0)
    async with stage.working() as busy:
        await stage.until(lambda: len(stage.frozen) > 3)
        rendered_again = stage.value("rerendered")
        monkeypatch.setattr(busy._load, "look", lambda _now_s: 1.0)
        await stage.until(lambda: stage.value("quality") == 0.75, seconds=LOOKS + 5.0)
        monkeypatch.setattr(busy._load, "look", lambda _now_s: 0.1)
        await stage.until(lambda: stage.value("quality") == 1.0, seconds=LOOKS + 5.0)
        last = max(stage.frozen) + 25
        await stage.until(lambda: max(stage.frozen) >= last)
        assert stage.value("rerendered") == rendered_again
    await stage.assert_as_offline()
    ramps = (await stage.score()).view().automation("quality")
    assert [ramp.value for ramp in ramps] == [0.75, 1.0]
    assert all(isinstance(ramp, Automation) and ramp.at_frame % 4410 == 0 for ramp in ramps)
    assert (await stage.channels.state("main")).revision == 0


class Lost(Renderer):
    """Always renders on the CPU, but one created for CUDA loses its device at the sixth batch."""

    def __init__(self, audio: AudioFormat, device: Device) -> None:
        super().__init__(audio)
        self.left = 6 if device == "cuda" else -1

    def render(self, jobs: Sequence[Job]) -> list[bytes]:
        self.left -= 1
        if self.left == 0:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().render(jobs)


async def test_a_lost_device_is_not_heard(stage: Stage) -> None:
    """The CPU continues with the very chunk that is missing; the loss is counted once."""
    async with stage.working() as renders:
        lost = stage.metrics.device_fallbacks.inc
        renders._engine = Rendering("cuda", lost, Lost, prepare=lambda *_: None)
        await stage.until(lambda: len(stage.frozen) > 25)
    assert stage.value("device_fallbacks") == 1
    assert renders._engine.device == CPU
    await stage.assert_as_offline()


async def test_a_score_of_bad_notes_is_played_as_far_as_it_goes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes whose patch does not exist are counted and skipped; the others sound."""
    async with stage.working() as renders:
        patches = {"warm_pad": renders._engine._renderer(AUDIO)._cast._patches["warm_pad"]}
        monkeypatch.setattr(renders._engine._renderers[AUDIO]._cast, "_patches", patches)
        await stage.until(lambda: len(stage.frozen) > 15)
    assert stage.value("skipped_notes") > 0
    assert any(any(unpack(frame)[1]) for frame, _ in stage.frozen.values())
