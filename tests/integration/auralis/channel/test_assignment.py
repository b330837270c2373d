"""Which worker serves which channel: every channel has a living worker, no worker has too many."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.channel import assignment
from auralis.channel.assignment import Assignment
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.keyspace import Keyspace

# Shorter than the real one, so that a death is soon noticed; longer than any hiccup of the machine.
LEASE_MS = 600
PATIENCE_S = 10.0

Joining = Callable[[str], Assignment]


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "LEASE_MS", LEASE_MS)


@pytest.fixture
def channels(client: Redis, keys: Keyspace) -> Channels:
    return Channels(client, keys)


@pytest.fixture
def join(client: Redis, keys: Keyspace) -> Joining:
    return lambda name: Assignment(client, keys, "synth", name)


async def _create(channels: Channels, count: int) -> set[str]:
    names = {f"c{number}" for number in range(count)}
    for name in sorted(names):
        await channels.create(name, sample_rate_hz=44_100)
    return names


async def _rounds(workers: Iterable[Assignment], count: int = 1) -> list[frozenset[str]]:
    """What each worker holds after all of them have done ``count`` rounds."""
    held: list[frozenset[str]] = []
    for _ in range(count):
        held = [(await worker.round()).channels for worker in workers]
    return held


async def _rounds_for(worker: Assignment, leases: float) -> list[frozenset[str]]:
    """What a worker holds in each of its rounds, over this many leases."""
    held = []
    for _ in range(round(10 * leases)):
        await asyncio.sleep(LEASE_MS / 10_000)
        held += await _rounds([worker])
    return held


async def _until_shared(workers: list[Assignment], names: set[str]) -> list[frozenset[str]]:
    """Let them work until each channel has exactly one worker, which must happen within a few leases."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            held = await _rounds(workers)
            if sorted(name for own in held for name in own) == sorted(names):
                return held
            await asyncio.sleep(LEASE_MS / 4000)


async def test_the_first_worker_ever_finds_nothing_and_fails_at_nothing(join: Joining) -> None:
    assert await _rounds([join("a")]) == [frozenset()]


async def test_one_worker_takes_every_channel_at_once(channels: Channels, join: Joining) -> None:
    names = await _create(channels, 5)
    assert await _rounds([join("a")]) == [names]


async def test_a_new_channel_is_taken_in_the_next_round(channels: Channels, join: Joining) -> None:
    worker = join("a")
    await _rounds([worker])
    await channels.create("new", sample_rate_hz=44_100)
    assert await _rounds([worker]) == [{"new"}]


async def test_a_deleted_channel_is_nobodys(channels: Channels, join: Joining) -> None:
    await _create(channels, 2)
    workers = [join("a"), join("b")]
    await _rounds(workers, 3)
    await channels.delete("c0")
    assert frozenset().union(*await _rounds(workers, 3)) == {"c1"}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [0, 1, 3, 8])
async def test_shares_differ_by_one_at_most(channels: Channels, join: Joining, count: int, size: int) -> None:
    workers = [join(f"w{number}") for number in range(count)]
    names = await _create(channels, size)
    held = await _rounds(workers, 3)
    assert sorted(name for own in held for name in own) == sorted(names)
    assert max(map(len, held)) - min(map(len, held)) <= 1


async def test_what_is_shared_fairly_stays_where_it_is(channels: Channels, join: Joining) -> None:
    await _create(channels, 5)
    workers = [join("a"), join("b")]
    held = await _rounds(workers, 3)
    assert await _rounds(workers, 5) == held


async def test_workers_that_share_at_the_same_time_lose_nothing(channels: Channels, join: Joining) -> None:
    names = await _create(channels, 9)
    workers = [join(f"w{number}") for number in range(4)]
    for _ in range(12):
        await asyncio.gather(*(worker.round() for worker in workers))
    held = await _until_shared(workers, names)
    assert max(map(len, held)) - min(map(len, held)) <= 1


async def test_the_channels_of_a_dead_worker_are_taken_after_its_lease_and_not_before(
    channels: Channels, join: Joining
) -> None:
    await _create(channels, 4)
    dying, living = join("a"), join("b")
    _, own = await _rounds([dying, living], 3)
    assert await _rounds([living]) == [own]
    await asyncio.sleep(LEASE_MS / 1000)
    after = await living.round()
    assert after.channels == {"c0", "c1", "c2", "c3"}
    assert after.taken_over == 2
    assert (await living.round()).taken_over == 0


async def test_what_is_handed_to_a_dead_worker_does_not_keep_it_alive(
    client: Redis, keys: Keyspace, channels: Channels, join: Joining
) -> None:
    """Otherwise channels would pass to and fro between it and the living, and be silent half of the time."""
    names = await _create(channels, 4)
    living, dead = join("a"), join("b")
    await _rounds([living, dead], 3)
    (handed, _), *_ = [e for e in await channels.assignments() if e[1] in (await living.round()).channels]
    await _rounds_for(living, 0.5)
    await client.xclaim(keys.channels, "synth", "b", 0, [str(handed)], justid=True)
    await _rounds_for(living, 1.3)
    assert set(await _rounds_for(living, 1.2)) == {frozenset(names)}


async def test_a_worker_that_was_stopped_does_not_take_back(channels: Channels, join: Joining) -> None:
    names = await _create(channels, 4)
    stopped, living = join("a"), join("b")
    await _rounds([stopped, living], 3)
    await asyncio.sleep(LEASE_MS / 1000)
    assert await _rounds([living]) == [names]
    assert await _rounds([stopped]) == [frozenset()]
    held = await _rounds([living, stopped], 2)
    assert sorted(map(len, held)) == [2, 2]
    assert frozenset().union(*held) == names


async def test_a_worker_that_was_stopped_goes_on_if_nobody_took_its_channels(
    channels: Channels, join: Joining
) -> None:
    names = await _create(channels, 2)
    worker = join("a")
    await _rounds([worker])
    await asyncio.sleep(1.5 * LEASE_MS / 1000)
    round_ = await worker.round()
    assert (round_.channels, round_.taken_over) == (names, 0)


async def test_who_leaves_hands_over_at_once(channels: Channels, join: Joining) -> None:
    names = await _create(channels, 5)
    leaving, staying = join("a"), join("b")
    await _rounds([leaving, staying], 3)
    await leaving.leave()
    assert await _rounds([staying]) == [names]


async def test_what_a_dismissed_worker_held_is_taken_in_the_next_round(
    channels: Channels, join: Joining
) -> None:
    names = await _create(channels, 5)
    killed, living = join("a"), join("b")
    await _rounds([killed, living], 3)
    await living.dismiss("a")
    assert await _rounds([living]) == [names]


async def test_who_is_dismissed_and_lives_gets_a_share_again(channels: Channels, join: Joining) -> None:
    names = await _create(channels, 4)
    dismissed, living = join("a"), join("b")
    await _rounds([dismissed, living], 3)
    await living.dismiss("a")
    held = await _rounds([living, dismissed], 3)
    assert sorted(map(len, held)) == [2, 2]
    assert frozenset().union(*held) == names


async def test_whoever_is_handed_a_channel_hears_of_it(
    client: Redis, keys: Keyspace, channels: Channels, join: Joining
) -> None:
    await _create(channels, 2)
    rich, poor = join("a"), join("b")
    await _rounds([rich, poor])
    wakeups = WakeUps(client, keys)
    listening = asyncio.create_task(wakeups.keep())
    await wakeups.wait(5)
    await _rounds([rich])
    assert await wakeups.wait(5) == {("synth", "b")}
    listening.cancel()


async def test_who_leaves_as_the_last_one_leaves_its_channels_to_the_next(
    channels: Channels, join: Joining
) -> None:
    names = await _create(channels, 3)
    await _rounds([join("a")])
    await join("a").leave()
    assert await _rounds([join("b")]) == [names]


async def test_leaving_wakes_those_who_stay(
    client: Redis, keys: Keyspace, channels: Channels, join: Joining
) -> None:
    await _create(channels, 1)
    await _rounds([join("a")])
    wakeups = WakeUps(client, keys)
    listening = asyncio.create_task(wakeups.keep())
    await wakeups.wait(5)
    await join("a").leave()
    assert await wakeups.wait(5) == {("synth", "a")}
    listening.cancel()


async def test_what_is_handed_to_a_worker_while_it_leaves_is_not_lost(
    redis_url: str, client: Redis, keys: Keyspace, channels: Channels, join: Joining
) -> None:
    """Before each command that it sends while leaving, another worker hands it all of its own channels."""
    names = await _create(channels, 3)
    rich = join("a")
    await rich.round()
    entries = [str(entry) for entry, _ in await channels.assignments()]

    async with connect(redis_url, name="leaving") as own:
        leaving = Assignment(own, keys, "synth", "b")
        send = own.execute_command

        async def handed_more(*command: Any, **options: Any) -> Any:
            await client.xclaim(keys.channels, "synth", "b", 0, entries, justid=True)
            return await send(*command, **options)

        await leaving.round()
        own.execute_command = handed_more  # type: ignore[method-assign]
        await leaving.leave()
    assert await _until_shared([rich], names) == [names]


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_comes_goes_and_dies_every_channel_is_worked_for(
    channels: Channels, join: Joining, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    names = await _create(channels, 7)
    workers = [join("w0")]
    for number in range(1, 25):
        chosen = chance.choice(workers)
        match chance.choice(("round", "round", "join", "leave", "die")):
            case "join":
                workers.append(join(f"w{number}"))
            case "leave" if len(workers) > 1:
                workers.remove(chosen)
                await asyncio.gather(chosen.leave(), *(worker.round() for worker in workers))
            case "die" if len(workers) > 1:
                workers.remove(chosen)
        await asyncio.gather(*(worker.round() for worker in workers))
    await _until_shared(workers, names)


async def test_composers_and_synths_share_apart(client: Redis, keys: Keyspace, channels: Channels) -> None:
    names = await _create(channels, 3)
    groups = [Assignment(client, keys, "composer", "a"), Assignment(client, keys, "synth", "a")]
    assert await _rounds(groups) == [names, names]


async def test_workers_go_on_after_the_broker_has_lost_its_data(
    client: Redis, keys: Keyspace, channels: Channels, join: Joining
) -> None:
    """The group is gone (NOGROUP); a new one reads the stream from the beginning."""
    await _create(channels, 3)
    workers = [join("a"), join("b")]
    await _rounds(workers, 3)
    await client.delete(keys.channels)
    assert await _rounds(workers, 1) == [frozenset(), frozenset()]
    await channels.create("new", sample_rate_hz=44_100)
    assert frozenset().union(*await _rounds(workers)) == {"new"}


async def test_a_worker_that_is_long_gone_is_forgotten(
    client: Redis, keys: Keyspace, channels: Channels, join: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _create(channels, 2)
    await _rounds([join("gone"), join("b")], 2)
    monkeypatch.setattr(assignment, "LEASE_MS", 1)
    async with asyncio.timeout(PATIENCE_S):
        while await client.zscore(keys.workers("synth"), "gone") is not None:
            await join("b").round()
            await asyncio.sleep(0.02)
    consumers = await client.xinfo_consumers(keys.channels, "synth")
    assert b"gone" not in [consumer["name"] for consumer in consumers]
