"""Workers that keep up with what others play: who goes on, with how little, and what is kept up with."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from auralis.channel.listeners import Listeners
from auralis.channel.share import Link
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace
from auralis.timing import RING_CHUNKS, first_unfrozen_seq
from services.synth.mix.tape import Take
from services.synth.renderer import Renderer
from services.synth.shadows import Shadows
from services.synth.worker import Worker
from tests.integration.synth.stage import AUDIO, Stage, observations

# So many frozen chunks a shadow lacks at most, with those that freeze while it renders.
_LAG_CHUNKS = 8


class Played:
    """How many chunks each call to one worker's renderer has to play, from some moment on."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        renderer, self.counts = worker._engine._renderer(AUDIO), list[int]()
        assert isinstance(renderer, Renderer)
        play = renderer._play

        def counted(wanted: Sequence[tuple[int, Take]]) -> None:
            self.counts.append(len(wanted))
            play(wanted)

        monkeypatch.setattr(renderer, "_play", counted)


async def _followed(worker: Worker, channel: str = "main") -> None:
    """Wait until ``worker`` has rendered what another one plays."""
    async with asyncio.timeout(20):
        while not ((kept := worker._shadows._followed.get(channel)) and kept.rendered_seq):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("stands_by", [False, True], ids=["idle", "standby"])
async def test_who_takes_over_lacks_only_what_is_in_the_ring(
    stage: Stage, stands_by: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its bytes are the same."""
    called = asyncio.Event()
    async with stage.working("one") as one:
        await stage.filled()
        await stage.listen(2.5)  # the past is longer than the ring now
        async with stage.working("two", called if stands_by else None) as two:
            await _followed(two)
            assert two._share.held == frozenset()
            played = Played(two, monkeypatch)
            stage.kill("one", one)
            called.set()
            unfrozen = first_unfrozen_seq((await stage.state()).epoch_us, stage.clock.now_us())
            await stage.listen(3.0)
    assert max(stage.frozen) > unfrozen + RING_CHUNKS
    await stage.assert_as_offline()
    assert RING_CHUNKS // 2 < max(played.counts) <= RING_CHUNKS + _LAG_CHUNKS


async def test_what_is_kept_up_with_is_neither_pushed_nor_counted(stage: Stage) -> None:
    async with stage.working("one"):
        await stage.filled()
        async with stage.working("two") as two:
            await _followed(two)
            playing, idle = stage.metrics
    for name in ("render_seconds", "chunk_seconds"):
        assert observations(getattr(playing, name)) > 0
        assert observations(getattr(idle, name)) == 0


@pytest.fixture
async def followed(client: Redis, keys: Keyspace) -> Shadows:
    """Those of a worker that nobody else knows of; main and six channels are heard."""
    channels, listeners, clock = Channels(client, keys), Listeners(client, keys), BrokerClock(client)
    await clock.start()
    await channels.ensure_main(sample_rate_hz=44_100)
    for name in "abcdef":
        await channels.create(name, sample_rate_hz=44_100)
        await listeners.beat(name, clock.now_us())
    return Shadows(Link(client, keys, clock, WakeUps(client, keys)))


@pytest.mark.parametrize(
    ("own", "others"),
    [("", "main a b c"), ("a", "main b c"), ("main a", "b c"), ("a c e f", ""), ("main a b c d e f", "")],
)
async def test_a_worker_keeps_up_with_four_channels_its_own_included(
    followed: Shadows, own: str, others: str
) -> None:
    await followed.due(set(own.split()))
    assert [*followed._followed] == others.split()


async def test_main_is_heard_also_where_nobody_listens(
    client: Redis, keys: Keyspace, followed: Shadows
) -> None:
    await client.delete(keys.listeners)
    await followed.due(set())
    assert [*followed._followed] == ["main"]


async def test_own_channels_that_nobody_hears_cost_nothing(followed: Shadows) -> None:
    await followed.due({"quiet", "quieter", "quietest", "a"})
    assert [*followed._followed] == ["main", "b", "c"]


async def test_a_channel_that_was_remade_is_another_one(
    client: Redis, keys: Keyspace, followed: Shadows
) -> None:
    channels = Channels(client, keys)
    await followed.due(set())
    before = followed._followed["a"]
    assert followed.take(await channels.state("a")) is before
    followed._followed["a"] = before
    await channels.delete("a")
    await channels.create("a", sample_rate_hz=44_100)
    assert followed.take(await channels.state("a")) is not before


async def test_a_channel_that_is_gone_is_left(client: Redis, keys: Keyspace, followed: Shadows) -> None:
    await followed.due(set())
    await Channels(client, keys).delete("a")
    await client.zadd(keys.listeners, {"a": followed._looked_us / 1e6})  # somebody still thinks to hear it
    followed._looked_us = 0
    await followed.due(set())
    assert [*followed._followed] == ["main", "b", "c"]
