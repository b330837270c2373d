"""Which workers of a group are present: one whose connection has ended is reported missing, and no other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.channel.assignment import Assignment
from auralis.channel.presence import Presence
from auralis.channel.wakeups import WakeUps
from auralis.keyspace import Keyspace

PATIENCE_S = 10.0

Appearing = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.fixture
def here(redis_url: str, client: Redis, keys: Keyspace) -> Appearing:
    """A worker's connection: present while the context is open, gone once the broker has noticed its end."""

    @asynccontextmanager
    async def appearing(worker: str) -> AsyncIterator[None]:
        topic = keys.presence("synth", worker)
        async with connect(redis_url, name=worker) as own:
            wakeups = WakeUps(own, keys)
            wakeups.subscribe_also(topic)
            listening = asyncio.create_task(wakeups.keep())
            await wakeups.listening(PATIENCE_S)
            yield
            listening.cancel()
            await asyncio.wait([listening])
        async with asyncio.timeout(PATIENCE_S):
            while await client.pubsub_channels(topic):  # noqa: ASYNC110  the broker notices
                await asyncio.sleep(0.001)

    return appearing


@pytest.fixture
def seen_by_a(client: Redis, keys: Keyspace) -> Presence:
    return Presence(client, keys, "synth", "a")


async def test_who_is_there_is_not_missed(here: Appearing, seen_by_a: Presence) -> None:
    async with here("a"), here("b"):
        assert [await seen_by_a.vanished() for _ in range(3)] == [frozenset()] * 3


async def test_whose_connection_ends_is_missed_once(here: Appearing, seen_by_a: Presence) -> None:
    async with here("a"):
        async with here("b"), here("c"):
            await seen_by_a.vanished()
        assert await seen_by_a.vanished() == {"b", "c"}
        assert await seen_by_a.vanished() == frozenset()


async def test_who_comes_back_can_be_missed_again(here: Appearing, seen_by_a: Presence) -> None:
    async with here("a"):
        for _ in range(2):
            async with here("b"):
                assert await seen_by_a.vanished() == frozenset()
            assert await seen_by_a.vanished() == {"b"}


async def test_a_newcomer_misses_those_of_the_book_that_are_not_there(
    client: Redis, keys: Keyspace, here: Appearing, seen_by_a: Presence
) -> None:
    """A standby that is promoted has never seen the worker that it replaces."""
    for worker in ("a", "b", "dead"):
        await Assignment(client, keys, "synth", worker).round()
    async with here("a"), here("b"):
        assert await seen_by_a.vanished() == {"dead"}
        assert await seen_by_a.vanished() == frozenset()


async def test_who_is_not_there_itself_misses_nobody(here: Appearing, seen_by_a: Presence) -> None:
    """After a restart of the broker, workers come back one after another."""
    async with here("a"), here("b"):
        await seen_by_a.vanished()
    assert await seen_by_a.vanished() == frozenset()
    async with here("a"):
        assert await seen_by_a.vanished() == frozenset()
        async with here("b"):
            assert await seen_by_a.vanished() == frozenset()
        assert await seen_by_a.vanished() == {"b"}


async def test_a_newcomer_looks_at_the_book_once_it_is_there(
    client: Redis, keys: Keyspace, here: Appearing, seen_by_a: Presence
) -> None:
    await Assignment(client, keys, "synth", "dead").round()
    assert await seen_by_a.vanished() == frozenset()
    async with here("a"):
        assert await seen_by_a.vanished() == {"dead"}


async def test_groups_and_keyspaces_are_apart(client: Redis, keys: Keyspace, here: Appearing) -> None:
    others = [Presence(client, keys, "composer", "a"), Presence(client, Keyspace("other"), "synth", "a")]
    async with here("a"):
        async with here("b"):
            for other in others:
                await other.vanished()
        assert [await other.vanished() for other in others] == [frozenset()] * 2
