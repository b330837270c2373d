"""Channels in the broker: created once, changed by controls, deleted with everything they left behind."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from auralis.channel.listeners import Listeners
from auralis.channel.state import Channels, QualityRequest
from auralis.controls import SPECS, Controls
from auralis.errors import ChannelExists, ChannelNotFound, InvalidValue
from auralis.keyspace import Keyspace
from auralis.score.entry_id import NO_ENTRY


@pytest.fixture
def channels(client: Redis, keys: Keyspace) -> Channels:
    return Channels(client, keys)


async def test_a_new_channel_is_as_it_was_asked_for(client: Redis, channels: Channels) -> None:
    before = await client.time()
    controls = Controls("Eb major", 72.5, 0.25)
    await channels.create("night", sample_rate_hz=48_000, seed=7, controls=controls, always_on=True)
    after = await client.time()
    state = await channels.state("night")
    assert state.id == "night"
    assert (state.seed, state.sample_rate_hz, state.always_on, state.controls) == (7, 48_000, True, controls)
    assert (state.revision, state.composed_revision, state.version, state.until_frame) == (0, 0, 0, 0)
    assert (state.plan, state.control_id) == (None, NO_ENTRY)
    assert before <= divmod(state.epoch_us, 1_000_000) <= after


async def test_a_channel_of_an_earlier_version_has_the_defaults_of_what_came_later(
    client: Redis, channels: Channels, keys: Keyspace
) -> None:
    await channels.create("old", sample_rate_hz=44_100, controls=Controls("Eb major", 72.0, 0.25))
    later = [f"control:{spec.name}" for spec in SPECS if spec.name not in ("key", "bpm", "intensity")]
    assert await client.hdel(keys.state("old"), *later) == len(later)
    assert (await channels.state("old")).controls == Controls("Eb major", 72.0, 0.25)


async def test_without_a_seed_every_channel_gets_another_one(channels: Channels) -> None:
    for name in ("a", "b", "c"):
        await channels.create(name, sample_rate_hz=44_100)
    seeds = {(await channels.state(name)).seed for name in ("a", "b", "c")}
    assert len(seeds) == 3
    assert all(0 <= seed < 2**32 for seed in seeds)


async def test_a_seed_of_0_is_a_seed(channels: Channels) -> None:
    await channels.create("zero", sample_rate_hz=44_100, seed=0)
    assert (await channels.state("zero")).seed == 0


async def test_channels_are_listed_in_the_order_of_their_creation(channels: Channels) -> None:
    for name in ("zebra", "ant", "main"):
        await channels.create(name, sample_rate_hz=44_100)
    assert await channels.ids() == ["zebra", "ant", "main"]
    entries = [entry for entry, _ in await channels.assignments()]
    assert entries == sorted(set(entries))


async def test_an_id_that_is_taken_is_refused_and_nothing_changes(channels: Channels) -> None:
    await channels.create("night", sample_rate_hz=44_100, seed=1)
    before = await channels.state("night")
    with pytest.raises(ChannelExists, match="'night'"):
        await channels.create("night", sample_rate_hz=48_000, seed=2)
    assert await channels.state("night") == before
    assert await channels.ids() == ["night"]


async def test_an_id_that_can_name_nothing_is_refused(channels: Channels) -> None:
    with pytest.raises(InvalidValue, match="id: found 'a}b'"):
        await channels.create("a}b", sample_rate_hz=44_100)
    assert await channels.ids() == []


async def test_who_creates_at_once_makes_one_channel_with_one_assignment(channels: Channels) -> None:
    replies = await asyncio.gather(
        *(channels.create("night", sample_rate_hz=44_100, seed=seed) for seed in range(20)),
        return_exceptions=True,
    )
    assert replies.count(None) == 1
    assert sum(isinstance(reply, ChannelExists) for reply in replies) == 19
    assert (await channels.state("night")).seed == replies.index(None)
    assert await channels.ids() == ["night"]


async def test_main_is_created_once_however_many_services_start(channels: Channels) -> None:
    await asyncio.gather(*(channels.ensure_main(sample_rate_hz=44_100, seed=seed) for seed in range(20)))
    state = await channels.state("main")
    await channels.ensure_main(sample_rate_hz=48_000, seed=99)
    assert await channels.state("main") == state
    assert state.always_on
    assert await channels.ids() == ["main"]


async def test_a_creation_that_was_cut_short_is_completed_by_the_next(
    client: Redis, keys: Keyspace, channels: Channels
) -> None:
    """Its state had been written, its assignment had not."""
    await channels.ensure_main(sample_rate_hz=44_100)
    await client.delete(keys.channels)
    await channels.ensure_main(sample_rate_hz=44_100)
    assert await channels.ids() == ["main"]


async def test_a_deleted_channel_leaves_nothing(client: Redis, keys: Keyspace, channels: Channels) -> None:
    await channels.create("stays", sample_rate_hz=44_100)
    await channels.create("goes", sample_rate_hz=44_100)
    await channels.change("goes", {"bpm": 90})
    await Listeners(client, keys).beat("goes", 1_000_000)
    await channels.delete("goes")
    left = {key.decode() async for key in client.scan_iter(f"{keys.prefix}:*")}
    assert left == {keys.channels, keys.state("stays")}
    assert await channels.ids() == ["stays"]
    with pytest.raises(ChannelNotFound):
        await channels.state("goes")


async def test_what_is_not_there_can_not_be_asked_for_changed_or_deleted(channels: Channels) -> None:
    for work in (channels.state("x"), channels.change("x", {"bpm": 60}), channels.delete("x")):
        with pytest.raises(ChannelNotFound, match="no such channel: 'x'"):
            await work
    assert await channels.control_changes("x") == []


async def test_a_change_counts_a_revision_and_reaches_state_and_composer(channels: Channels) -> None:
    await channels.create("main", sample_rate_hz=44_100)
    assert await channels.change("main", {"bpm": 72}) == 1
    assert await channels.change("main", {"key": "c# minor", "intensity": 1}) == 2
    state = await channels.state("main")
    assert state.controls == Controls("C# minor", 72.0, 1.0)
    assert (state.revision, state.composed_revision) == (2, 0)
    first, second = await channels.control_changes("main")
    assert (first.revision, first.changes) == (1, {"bpm": 72.0})
    assert (second.revision, second.changes) == (2, {"key": "C# minor", "intensity": 1.0})
    assert await channels.control_changes("main", after=first.id) == [second]
    assert await channels.control_changes("main", after=second.id) == []


async def test_a_request_for_quality_reaches_the_composer_and_nobody_else(channels: Channels) -> None:
    """No revision is counted and no control changes: listeners do not notice."""
    await channels.create("main", sample_rate_hz=44_100)
    await channels.change("main", {"bpm": 72})
    before = await channels.state("main")
    await channels.ask_quality("main", 0.75, 1234)
    assert await channels.state("main") == before
    _, asked = await channels.control_changes("main")
    assert (asked.revision, asked.changes, asked.quality) == (1, {}, QualityRequest(0.75, 1234))


async def test_a_request_for_quality_does_not_bring_a_deleted_channel_back(
    client: Redis, keys: Keyspace, channels: Channels
) -> None:
    await channels.ask_quality("gone", 0.75, 1234)
    assert not await client.exists(keys.control("gone"))


@pytest.mark.parametrize("changes", [{}, {"bpm": 999}, {"bpm": 60, "volume": 1}, {"key": 9}])
async def test_a_change_that_is_not_allowed_changes_nothing(
    channels: Channels, changes: dict[str, Any]
) -> None:
    await channels.create("main", sample_rate_hz=44_100)
    before = await channels.state("main")
    with pytest.raises(InvalidValue):
        await channels.change("main", changes)
    assert await channels.state("main") == before
    assert await channels.control_changes("main") == []


async def test_changes_at_once_are_counted_one_by_one(channels: Channels) -> None:
    await channels.create("main", sample_rate_hz=44_100)
    values = [40.0 + number for number in range(30)]
    revisions = await asyncio.gather(*(channels.change("main", {"bpm": bpm}) for bpm in values))
    assert sorted(revisions) == list(range(1, 31))
    changes = await channels.control_changes("main")
    assert [change.revision for change in changes] == list(range(1, 31))
    assert (await channels.state("main")).controls.bpm == changes[-1].changes["bpm"]


@pytest.mark.parametrize("bpm", [40.0, 120.0, 60.1, 1 / 3 + 60])
async def test_numbers_survive_the_broker_exactly(channels: Channels, bpm: float) -> None:
    await channels.create("main", sample_rate_hz=44_100)
    await channels.change("main", {"bpm": bpm})
    assert (await channels.state("main")).controls.bpm == bpm


async def test_channels_go_on_after_the_broker_forgot_its_functions(
    client: Redis, channels: Channels
) -> None:
    await channels.create("main", sample_rate_hz=44_100)
    await client.script_flush()
    await channels.create("night", sample_rate_hz=44_100)
    await client.script_flush()
    assert await channels.change("night", {"bpm": 60}) == 1
