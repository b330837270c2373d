"""A worker's membership: channels renewed, those of the vanished taken, all kept if the broker is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from auralis.channel import assignment, membership
from auralis.channel.assignment import Assignment
from auralis.channel.listeners import Listeners
from auralis.channel.membership import Membership
from auralis.channel.presence import Presence
from auralis.channel.state import Channels
from auralis.clock import BrokerClock
from auralis.keyspace import Keyspace

PATIENCE_S = 10.0

# With this, leases and everything that depends on them last longer than any test.
seldom = pytest.mark.parametrize("renew_s", [60.0])


@pytest.fixture
def renew_s() -> float:
    return 0.02


@pytest.fixture
def channels(client: Redis, keys: Keyspace) -> Channels:
    return Channels(client, keys)


async def _create(channels: Channels, count: int) -> set[str]:
    names = {f"c{number}" for number in range(count)}
    for name in names:
        await channels.create(name, sample_rate_hz=44_100)
    return names


class _Vanishing(Presence):
    """Reports as missing, once, the workers that a test names."""

    missed = frozenset[str]()

    async def vanished(self) -> frozenset[str]:
        missed, self.missed = self.missed, frozenset()
        return missed


class _Kept:
    """A membership that is kept up by its own task."""

    def __init__(self, client: Redis, keys: Keyspace, clock: BrokerClock) -> None:
        self.round_done = asyncio.Event()
        self.vanishing = _Vanishing(client, keys, "synth", "a")
        parts = Assignment(client, keys, "synth", "a"), self.vanishing, Listeners(client, keys), clock
        self.membership = Membership(*parts, changed=self.round_done.set)

    async def next_round(self) -> None:
        self.round_done.clear()
        await asyncio.wait_for(self.round_done.wait(), PATIENCE_S)


@pytest.fixture
async def kept(
    client: Redis, keys: Keyspace, renew_s: float, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[_Kept]:
    monkeypatch.setattr(membership, "RENEW_S", renew_s)
    monkeypatch.setattr(assignment, "LEASE_MS", int(3000 * max(renew_s, 1.0)))
    clock = BrokerClock(client)
    await clock.start()
    keeping = _Kept(client, keys, clock)
    task = asyncio.create_task(keeping.membership.keep())
    yield keeping
    task.cancel()
    await asyncio.wait([task])


async def test_a_membership_knows_what_is_its_own_and_what_is_heard(
    client: Redis, keys: Keyspace, channels: Channels, kept: _Kept
) -> None:
    await _create(channels, 2)
    seconds, _ = await client.time()
    await Listeners(client, keys).beat("c1", seconds * 1_000_000)
    await kept.next_round()
    await kept.next_round()
    assert (kept.membership.held, kept.membership.with_listeners) == ({"c0", "c1"}, {"c1"})


async def test_while_the_broker_is_away_everything_stays_as_it_was(
    client: Redis, channels: Channels, kept: _Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await _create(channels, 2)
    await kept.next_round()
    await kept.next_round()
    with monkeypatch.context() as away:
        away.setattr(client, "execute_command", _refused)
        await asyncio.sleep(0.1)
        assert kept.membership.held == names
    await kept.next_round()
    assert kept.membership.held == names


async def _refused(*_: object, **__: object) -> None:
    raise ConnectionRefusedError


@seldom
async def test_the_channel_of_a_vanished_worker_is_taken_at_once(
    client: Redis, keys: Keyspace, channels: Channels, kept: _Kept
) -> None:
    await kept.next_round()
    names = await _create(channels, 1)
    assert (await Assignment(client, keys, "synth", "killed").round()).channels == names
    kept.vanishing.missed = frozenset({"killed"})
    await kept.next_round()
    assert (kept.membership.held, kept.membership.taken_over) == (names, 1)


@seldom
async def test_who_is_asked_to_hurry_makes_the_next_round_at_once(channels: Channels, kept: _Kept) -> None:
    await kept.next_round()
    names = await _create(channels, 2)
    kept.membership.request_round()
    await kept.next_round()
    assert kept.membership.held == names
