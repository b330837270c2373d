"""Real composers with a real broker: horizon, controls, restarts, two at once, long absences."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from auralis.audio import AudioFormat, live_seq
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.controls import Controls
from auralis.keyspace import Keyspace
from auralis.score.events import Automation, Event, Revise
from auralis.score.log import LogEntry, ScoreReader
from services.composer import plan as planning
from services.composer.metrics import ComposerMetrics
from services.composer.service import Collaborators, Composer

AUDIO = AudioFormat()
SEED = 11


class SlowClock(BrokerClock):
    """A clock that lags: what a composer believes to be in time is late, as on an overloaded machine."""

    def now_us(self) -> int:
        return super().now_us() - 300_000


class Desk:
    """The channel ``main`` and what has been written for it."""

    def __init__(self, client: Redis, keys: Keyspace, url: str) -> None:
        self.client, self.keys, self.url = client, keys, url
        self.channels = Channels(client, keys)
        self.clock = BrokerClock(client)

    async def log(self) -> list[LogEntry]:
        return await ScoreReader(self.client, self.keys).read("main")

    async def ahead_s(self) -> float:
        """How many seconds beyond now are written."""
        state = await self.channels.state("main")
        return state.until_frame / 44_100 - (self.clock.now_us() - state.epoch_us) / 1e6

    async def until(self, reached: Callable[[], Awaitable[bool]], timeout_s: float = 10.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not await reached():  # noqa: ASYNC110  other processes write
                await asyncio.sleep(0.02)

    async def filled(self) -> bool:
        return await self.ahead_s() >= 7.9

    async def composed(self, revision: int) -> None:
        """Wait until the score takes ``revision`` into account."""

        async def taken() -> bool:
            return (await self.channels.state("main")).composed_revision >= revision

        await self.until(taken)

    @asynccontextmanager
    async def working(
        self, name: str, tells_time: type[BrokerClock] = BrokerClock
    ) -> AsyncIterator[asyncio.Task[None]]:
        """A composer in this process; leaving the context kills it."""
        metrics = ComposerMetrics(CollectorRegistry())
        async with connect(self.url, name=name) as own, connect(self.url, name=name) as listening:
            clock = tells_time(own)
            await clock.start()
            parts = Collaborators(own, self.keys, clock, WakeUps(listening, self.keys), metrics)
            task = asyncio.create_task(Composer(name, parts).run())
            try:
                yield task
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@pytest.fixture
async def desk(client: Redis, keys: Keyspace, redis_url: str) -> Desk:
    """A channel that nobody has composed for yet."""
    made = Desk(client, keys, redis_url)
    await made.channels.ensure_main(sample_rate_hz=44_100, seed=SEED)
    await made.clock.start()
    return made


def events_of(log: list[LogEntry]) -> list[Event]:
    """All events in the log, in order, without the revisions."""
    return [event for entry in log for event in entry.batch.events if not isinstance(event, Revise)]


def uninterrupted(log: list[LogEntry]) -> list[Event]:
    """What the pure composer writes for the same frames in one go."""
    plan = planning.begin(SEED, log[0].batch.from_frame, Controls(), 0)
    _, batch = planning.extend(plan, log[-1].batch.until_frame, AUDIO)
    return list(batch.events)


async def test_it_writes_eight_seconds_ahead_without_a_gap(desk: Desk) -> None:
    """Each entry begins where the last ended; the first begins no earlier than the log allows."""
    async with desk.working("one"):
        await desk.until(desk.filled)
        await asyncio.sleep(1.2)
        assert await desk.ahead_s() >= 7.0
    log = await desk.log()
    assert all(b.batch.from_frame == a.batch.until_frame for a, b in pairwise(log))
    assert events_of(log) == uninterrupted(log)


async def test_a_piece_whose_first_entry_came_late_is_the_one_that_begins_where_the_log_allowed(
    desk: Desk,
) -> None:
    """A refused entry leaves no trace: the log alone says what is played."""
    async with desk.working("one", SlowClock):

        async def written() -> bool:
            return await desk.ahead_s() >= 7.0

        await desk.until(written)
    log = await desk.log()
    assert events_of(log) == uninterrupted(log)


async def test_a_restarted_composer_goes_on_exactly(desk: Desk) -> None:
    """Killed and started again: the log equals the one that an uninterrupted composer writes."""
    async with desk.working("one"):
        await desk.until(desk.filled)
    async with desk.working("two"):
        await asyncio.sleep(1.5)
        await desk.until(desk.filled)
    log = await desk.log()
    assert len(log) > 2
    assert events_of(log) == uninterrupted(log)


async def test_two_composers_write_one_piece(desk: Desk) -> None:
    """A composer that wrongly believes it owns the channel is refused, and nothing is written twice."""
    async with desk.working("one"):
        await desk.until(desk.filled)
        async with connect(desk.url, name="shadow") as own, connect(desk.url, name="shadow") as listening:
            clock = BrokerClock(own)
            await clock.start()
            parts = Collaborators(
                own, desk.keys, clock, WakeUps(listening, desk.keys), ComposerMetrics(CollectorRegistry())
            )
            shadow = Composer("shadow", parts)
            shadow._share.membership.held = frozenset({"main"})
            working = shadow._share._keep_working(shadow._compose_all, shadow._pieces.clear, 0.25)
            task = asyncio.create_task(working)
            await asyncio.sleep(2.5)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    log = await desk.log()
    assert events_of(log) == uninterrupted(log)


async def test_a_control_change_becomes_one_revision(desk: Desk) -> None:
    """Intensity is changed twice at once: the score has it from one frame on, and keeps 4 s ahead."""
    async with desk.working("one"):
        await desk.until(desk.filled)
        await desk.channels.change("main", {"intensity": 0.9})
        revision = await desk.channels.change("main", {"intensity": 1.0})
        await desk.composed(revision)
        assert await desk.ahead_s() >= 4.0
    revised = [entry.batch for entry in await desk.log() if entry.batch.revises]
    assert revised[-1].revision == revision
    automations = [e for e in revised[-1].events if isinstance(e, Automation) and e.parameter == "intensity"]
    assert automations[0].at_frame == revised[-1].from_frame
    assert automations[0].value == 1.0


async def test_a_request_for_quality_is_written_where_it_was_asked_for(desk: Desk) -> None:
    """The score shows it from the requested chunk on; the notes stay, no revision is counted."""
    async with desk.working("one"):
        await desk.until(desk.filled)
        state = await desk.channels.state("main")
        seq = live_seq(state.epoch_us, desk.clock.now_us()) + 18
        await desk.channels.ask_quality("main", 0.5, seq)

        async def written() -> bool:
            return any(entry.batch.revises for entry in await desk.log())

        await desk.until(written)
    log = await desk.log()
    index = next(i for i, entry in enumerate(log) if entry.batch.revises)
    batch = log[index].batch
    assert (batch.from_frame, batch.revision) == (AUDIO.start_frame(seq), 0)
    assert batch.events[1] == Automation(batch.from_frame, "quality", 0, 0.5)
    dropped = tuple(event for event in events_of(log[:index]) if event.at_frame >= batch.from_frame)
    assert dropped
    assert batch.events[2 : 2 + len(dropped)] == dropped


async def test_a_change_while_no_composer_runs_is_not_lost(desk: Desk) -> None:
    """The change waits in the control stream for the next composer."""
    async with desk.working("one"):
        await desk.until(desk.filled)
    revision = await desk.channels.change("main", {"key": "E major"})
    async with desk.working("two"):
        await desk.composed(revision)
        assert planning.decode_plan((await desk.channels.state("main")).plan or b"").controls.key == "E major"


async def test_after_a_long_absence_it_goes_on_at_the_clock(desk: Desk) -> None:
    """Away for longer than its horizon (the epoch is moved): the piece resumes at the live position, once."""
    async with desk.working("one"):
        await desk.until(desk.filled)
    before = (await desk.log())[-1].batch
    await desk.client.hincrby(desk.keys.state("main"), "epoch_us", -60_000_000)
    async with desk.working("two"):
        await desk.until(desk.filled)
    resumed = next(e.batch for e in await desk.log() if e.batch.from_frame > before.until_frame)
    assert resumed.from_frame > before.until_frame + AUDIO.frames(45)
    assert not resumed.revises
