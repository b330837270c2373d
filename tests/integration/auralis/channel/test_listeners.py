"""Which channels have listeners, and the hints that wake services up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.channel.listeners import Listeners
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.keyspace import Keyspace
from auralis.timing import LISTENER_TTL_S

NOW_US = 1_700_000_000_000_000
TTL_US = int(LISTENER_TTL_S * 1e6)


@pytest.fixture
def listeners(client: Redis, keys: Keyspace) -> Listeners:
    return Listeners(client, keys)


async def test_a_channel_is_awake_for_a_minute_after_somebody_listened(listeners: Listeners) -> None:
    await listeners.beat("main", NOW_US)
    await listeners.beat("night", NOW_US + TTL_US // 2)
    assert await listeners.awake(NOW_US + TTL_US) == {"main", "night"}
    assert await listeners.awake(NOW_US + TTL_US + 1_000) == {"night"}
    assert await listeners.awake(NOW_US + 2 * TTL_US) == set()


async def test_a_gateway_whose_clock_is_behind_puts_nobody_to_sleep(listeners: Listeners) -> None:
    await listeners.beat("main", NOW_US)
    await listeners.beat("main", NOW_US - 3_000_000)
    assert await listeners.awake(NOW_US + TTL_US) == {"main"}


@pytest.fixture
async def wakeups(redis_url: str, keys: Keyspace) -> AsyncIterator[WakeUps]:
    """Wake-ups that are already listening."""
    async with connect(redis_url, name="wake-ups") as own:
        listening = WakeUps(own, keys)
        task = asyncio.create_task(listening.keep())
        assert await listening.wait(5) == set()
        yield listening
        task.cancel()
        await asyncio.wait([task])


async def test_a_first_listener_wakes_the_workers_and_the_next_ones_do_not(
    listeners: Listeners, wakeups: WakeUps
) -> None:
    await listeners.beat("main", NOW_US)
    assert await wakeups.wait(5) == {("channels", "main")}
    await listeners.beat("main", NOW_US + TTL_US // 3)
    await listeners.beat("night", NOW_US)
    assert await wakeups.wait(5) == {("channels", "night")}


async def test_a_listener_of_a_sleeping_channel_wakes_it(listeners: Listeners, wakeups: WakeUps) -> None:
    await listeners.beat("main", NOW_US)
    await wakeups.wait(5)
    await listeners.beat("main", NOW_US + TTL_US + 1_000_000)
    assert await wakeups.wait(5) == {("channels", "main")}


async def test_creation_change_and_deletion_are_announced(
    client: Redis, keys: Keyspace, wakeups: WakeUps
) -> None:
    channels = Channels(client, keys)
    await channels.create("main", sample_rate_hz=44_100)
    assert await wakeups.wait(5) == {("channels", "main")}
    await channels.change("main", {"bpm": 60})
    assert await wakeups.wait(5) == {("control", "main")}
    await channels.delete("main")
    assert await wakeups.wait(5) == {("channels", "main")}


async def test_what_was_announced_meanwhile_is_told_together(
    client: Redis, keys: Keyspace, wakeups: WakeUps
) -> None:
    for hint in ("score a", "score b", "score a", "control end"):
        await client.publish(keys.wake, hint)
    found: set[tuple[str, str]] = set()
    while ("control", "end") not in found:
        found |= await wakeups.wait(5)
    assert found == {("score", "a"), ("score", "b"), ("control", "end")}
    assert await wakeups.wait(0) == set()


async def test_other_systems_on_the_same_broker_wake_nobody(
    client: Redis, keys: Keyspace, wakeups: WakeUps
) -> None:
    await client.publish(Keyspace("elsewhere").wake, "score main")
    await client.publish(keys.wake, "score night")
    assert await wakeups.wait(5) == {("score", "night")}


async def test_noise_does_not_end_the_listening(client: Redis, keys: Keyspace, wakeups: WakeUps) -> None:
    await client.publish(keys.wake, b"\xff\xfe")
    await wakeups.wait(5)
    await client.publish(keys.wake, "score main")
    assert ("score", "main") in await wakeups.wait(5)


async def test_a_lost_connection_is_made_again_and_says_to_look(
    client: Redis, keys: Keyspace, wakeups: WakeUps
) -> None:
    """The wait ends, so that the caller looks for whatever was announced in the meantime."""
    for connection in await client.client_list(_type="pubsub"):
        if connection["name"] == "wake-ups":
            await client.client_kill_filter(_id=connection["id"])
    assert await wakeups.wait(5) == set()
    await client.publish(keys.wake, "score main")
    assert await wakeups.wait(5) == {("score", "main")}


async def test_a_nudge_ends_the_wait(wakeups: WakeUps) -> None:
    wakeups.nudge()
    assert await wakeups.wait(60) == set()


async def test_who_asks_is_called_whatever_it_waits_for(
    client: Redis, keys: Keyspace, wakeups: WakeUps
) -> None:
    called = asyncio.Event()
    wakeups.on_announced("synth", called.set)
    await client.publish(keys.wake, "score main")
    assert await wakeups.wait(5) == {("score", "main")}
    assert not called.is_set()
    await client.publish(keys.wake, "synth worker")
    await asyncio.wait_for(called.wait(), 5)
    assert await wakeups.wait(5) == {("synth", "worker")}


async def test_who_never_listens_is_not_waited_for(client: Redis, keys: Keyspace) -> None:
    await asyncio.wait_for(WakeUps(client, keys).listening(0.01), 5)
