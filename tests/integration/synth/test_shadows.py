"""Workers that keep up with what others play: which one takes over, how little it lacks, what it follows."""

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

# A shadow lacks at most this many frozen chunks, including those that freeze while it renders.
_LAG_CHUNKS = 8


class Played:
    """How many chunks each call to one worker's renderer has to play, from now on."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        renderer, self.counts = worker._engine._renderer(AUDIO), list[int]()
        assert isinstance(renderer, Renderer)
        play = renderer._play

        def counted(wanted: Sequence[tuple[int, Take]]) -> None:
            self.counts.append(len(wanted))
            play(wanted)

        monkeypatch.setattr(renderer, "_play", counted)


async def _followed(stage: Stage, worker: Worker) -> None:
    """Listen until ``worker`` has rendered what another worker plays."""
    async with asyncio.timeout(20):
        while not ((kept := worker._shadows.channels.get("main")) and kept.rendered_seq):
            await stage.listen(0.02)


@pytest.mark.parametrize("stands_by", [False, True], ids=["idle", "standby"])
async def test_who_takes_over_lacks_only_what_is_in_the_ring(
    stage: Stage, stands_by: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are the same as well."""
    called = asyncio.Event()
    async with stage.working("one") as one:
        await stage.filled()
        await stage.listen(2.5)  # the past is longer than the ring now
        async with stage.working("two", called if stands_by else None) as two:
            await _followed(stage, two)
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
            await _followed(stage, two)
            playing, idle = stage.metrics
    for name in ("render_seconds", "chunk_seconds"):
        assert observations(getattr(playing, name)) > 0
        assert observations(getattr(idle, name)) == 0


@pytest.fixture
async def followed(client: Redis, keys: Keyspace) -> Shadows:
    """The shadows of a worker that nobody else knows of; main and six channels have listeners."""
    channels, listeners, clock = Channels(client, keys), Listeners(client, keys), BrokerClock(client)
    await clock.start()
    await channels.ensure_main(sample_rate_hz=44_100)
    for name in "abcdef":
        await channels.create(name, sample_rate_hz=44_100)
        await listeners.beat(name, clock.now_us())
    return Shadows(Link(client, keys, clock, WakeUps(client, keys)))


async def _chosen(shadows: Shadows, own: str = "") -> list[str]:
    """The channels that it keeps up with after one more second."""
    shadows._looked_us = 0
    await shadows.due(set(own.split()))
    return [*shadows.channels]


async def test_what_always_plays_is_kept_up_with_first_then_one_more_a_second(followed: Shadows) -> None:
    assert [await _chosen(followed) for _ in range(3)] == [["main"], ["main", "a"], ["main", "a", "b"]]


async def test_own_channels_are_none_of_them(followed: Shadows) -> None:
    for _ in range(5):
        chosen = await _chosen(followed, "main a c quiet")
    assert chosen == ["b", "d", "e", "f"]


async def test_who_has_no_time_keeps_up_with_nothing(followed: Shadows) -> None:
    assert await _chosen(followed) == ["main"]
    for _ in range(50):
        followed.spare.spent(0.9)
    assert await _chosen(followed) == []


async def test_main_plays_also_where_nobody_listens(client: Redis, keys: Keyspace, followed: Shadows) -> None:
    await client.delete(keys.listeners)
    assert [await _chosen(followed) for _ in range(2)] == [["main"], ["main"]]


async def test_a_channel_that_was_remade_is_another_one(
    client: Redis, keys: Keyspace, followed: Shadows
) -> None:
    channels = Channels(client, keys)
    await _chosen(followed)
    before = followed.channels["main"]
    await _chosen(followed)
    assert followed.channels["main"] is before
    await channels.delete("main")
    await channels.ensure_main(sample_rate_hz=44_100)
    await _chosen(followed)
    assert followed.channels["main"] is not before


async def test_what_is_taken_is_what_was_kept_up_with(
    client: Redis, keys: Keyspace, followed: Shadows
) -> None:
    await _chosen(followed)
    kept, state = followed.channels["main"], await Channels(client, keys).state("main")
    assert followed.take(state) is kept
    assert followed.take(state) is not kept  # only once


async def test_a_channel_that_is_gone_is_left(client: Redis, keys: Keyspace, followed: Shadows) -> None:
    await _chosen(followed)
    await Channels(client, keys).delete("main")
    assert await _chosen(followed) == ["a"]
