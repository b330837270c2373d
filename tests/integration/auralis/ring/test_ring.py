"""The ring on a real broker: its promises in random lives, its rules one by one."""

import pytest
from redis.asyncio import Redis

from auralis.broker import LuaFunction
from auralis.errors import ChannelNotFound
from auralis.keyspace import Keyspace
from auralis.ring import writer
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.ring.writer import Outcome, PushReply, RenderedChunk, RingWriter
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.timing import GUARD_US, RING_AHEAD_CHUNKS
from tests.integration.auralis.ring.machine import run_ring_machine

OLD, NEW, NEWER = EntryId(1_000, 0), EntryId(1_000, 2), EntryId(1_000, 10)
LIVE = 500
FIRST = LIVE + 2  # the first chunk that is not frozen while chunk LIVE plays


class Ring:
    """One channel's ring, whose chunk LIVE has just become due; for pushes, time stands still there."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self.client = client
        self.state_key = keys.state("main")
        self.writer = RingWriter(client, keys)
        self.reader = RingReader(client, keys)
        self.epoch_us = 0

    async def play(self, live: int = LIVE) -> None:
        seconds, micros = await self.client.time()
        self.epoch_us = seconds * 1_000_000 + micros - live * 100_000
        clock = {"test_s": seconds, "test_us": micros}
        await self.client.hset(self.state_key, mapping={"epoch_us": self.epoch_us, **clock})

    async def push(self, start: int, *ids: EntryId, before: EntryId = NO_ENTRY) -> PushReply:
        """Push a run of chunks rendered from these score ids; ``before`` is the id of the preceding chunk."""
        befores = (before, *ids)
        run = [
            RenderedChunk(Versions(own, previous), f"{start + i} {own} {previous}".encode())
            for i, (own, previous) in enumerate(zip(ids, befores, strict=False))
        ]
        return await self.writer.push("main", self.epoch_us, start, run)

    async def owns(self) -> dict[int, EntryId]:
        return {seq: versions.own for seq, versions in (await self.reader.versions("main")).items()}


@pytest.fixture
async def ring(client: Redis, keys: Keyspace, monkeypatch: pytest.MonkeyPatch) -> Ring:
    """FIRST freezes in 50 ms, and a busy machine may take that long between two commands: time is stopped."""
    held = LuaFunction("auralis.ring", "push.lua")
    held._source = held._source.replace(
        "redis.call('TIME')", f"redis.call('HMGET', '{keys.state('main')}', 'test_s', 'test_us')"
    )
    assert "TIME" not in held._source
    monkeypatch.setattr(writer, "_push", held)
    playing = Ring(client, keys)
    await playing.play()
    return playing


def test_a_ring_keeps_its_promises_whatever_happens_in_whatever_order(redis_url: str) -> None:
    """Chunks stay consecutive, chained, at most 20; frozen ones never change; a refusal changes nothing."""
    run_ring_machine(redis_url, lives=60, steps=30)


async def test_a_ring_begins_at_any_chunk_that_is_not_frozen(ring: Ring) -> None:
    reply = await ring.push(FIRST + 3, OLD, OLD)
    assert reply == PushReply(Outcome.OK, seq=FIRST)
    assert await ring.owns() == {FIRST + 3: OLD, FIRST + 4: OLD}


async def test_a_frozen_chunk_is_refused_with_the_first_that_is_not(ring: Ring) -> None:
    assert await ring.push(FIRST - 1, OLD) == PushReply(Outcome.FROZEN, seq=FIRST)


async def test_a_ring_reaches_no_further_than_its_length(ring: Ring) -> None:
    farthest = LIVE + RING_AHEAD_CHUNKS
    assert (await ring.push(farthest, OLD, OLD)).outcome is Outcome.AHEAD
    assert (await ring.push(farthest, OLD)).outcome is Outcome.OK


async def test_a_hole_is_refused_with_the_chunk_that_is_missing(ring: Ring) -> None:
    await ring.push(FIRST + 1, OLD)
    assert await ring.push(FIRST + 3, OLD, before=OLD) == PushReply(Outcome.GAP, seq=FIRST + 2)
    assert await ring.push(FIRST, OLD) == PushReply(Outcome.GAP, seq=FIRST + 1)


async def test_a_push_whose_reply_was_lost_may_be_repeated(ring: Ring) -> None:
    await ring.push(FIRST, OLD, NEW)
    assert await ring.push(FIRST, OLD, NEW) == PushReply(Outcome.STALE, version=OLD)
    assert await ring.owns() == {FIRST: OLD, FIRST + 1: NEW}


async def test_the_slower_of_two_owners_is_refused(ring: Ring) -> None:
    await ring.push(FIRST, NEW, NEW)
    assert (await ring.push(FIRST, OLD, OLD)).outcome is Outcome.STALE
    assert await ring.owns() == {FIRST: NEW, FIRST + 1: NEW}


async def test_ids_are_compared_as_numbers(ring: Ring) -> None:
    """Compared as text, 1000-10 would come before 1000-2."""
    await ring.push(FIRST, NEW)
    assert (await ring.push(FIRST, NEWER)).outcome is Outcome.OK


async def test_no_chunk_of_a_run_is_older_than_what_it_replaces(ring: Ring) -> None:
    await ring.push(FIRST, OLD, NEWER)
    assert await ring.push(FIRST, NEW, NEW) == PushReply(Outcome.STALE, version=NEWER)
    assert await ring.owns() == {FIRST: OLD, FIRST + 1: NEWER}


async def test_a_chunk_goes_on_only_from_the_version_that_the_ring_holds(ring: Ring) -> None:
    await ring.push(FIRST, OLD)
    assert await ring.push(FIRST + 1, NEW, before=NEW) == PushReply(Outcome.CHAIN, version=OLD)
    assert (await ring.push(FIRST + 1, NEW, before=OLD)).outcome is Outcome.OK


async def test_a_run_within_the_ring_ends_with_the_version_that_its_successor_expects(ring: Ring) -> None:
    await ring.push(FIRST, OLD, OLD, OLD, OLD)
    assert await ring.push(FIRST + 1, NEW, before=OLD) == PushReply(Outcome.CHAIN, version=OLD)
    assert (await ring.push(FIRST + 1, NEW, OLD, before=OLD)).outcome is Outcome.OK


async def test_a_rerender_that_is_cut_short_leaves_the_chain_whole(ring: Ring) -> None:
    """Its worker died after the first run, whose last chunk (the escape) already leads to the old score."""
    await ring.push(FIRST, OLD, OLD, OLD, OLD, OLD)
    await ring.push(FIRST + 1, NEW, NEW, OLD, before=OLD)
    versions = await ring.reader.versions("main")
    assert versions[FIRST + 3] == Versions(OLD, NEW)
    assert all(versions[seq].predecessor == versions[seq - 1].own for seq in versions if seq > FIRST)
    assert (await ring.push(FIRST + 3, NEW, NEW, before=NEW)).outcome is Outcome.OK
    assert (await ring.owns())[FIRST + 4] == NEW


async def test_a_run_whose_own_chunks_do_not_follow_from_each_other_is_refused(ring: Ring) -> None:
    run = [RenderedChunk(Versions(OLD), b"a"), RenderedChunk(Versions(OLD, NEW), b"b")]
    reply = await ring.writer.push("main", ring.epoch_us, FIRST, run)
    assert reply == PushReply(Outcome.CHAIN, version=OLD)
    assert await ring.owns() == {}


async def test_a_ring_that_was_played_to_its_end_begins_anew_with_nothing_before_it(ring: Ring) -> None:
    await ring.push(FIRST, OLD)
    await ring.play(FIRST + 50)
    start = FIRST + 52
    assert await ring.push(start, OLD, before=OLD) == PushReply(Outcome.CHAIN, version=NO_ENTRY)
    assert await ring.owns() == {FIRST: OLD}
    assert (await ring.push(start, OLD)).outcome is Outcome.OK
    assert await ring.owns() == {start: OLD}


@pytest.mark.parametrize("lost", ["ring", "ringmeta"])
async def test_a_ring_of_which_a_half_was_lost_begins_anew(ring: Ring, keys: Keyspace, lost: str) -> None:
    """A broker that runs out of memory may drop single keys."""
    await ring.push(FIRST, OLD, OLD)
    await ring.client.delete(getattr(keys, lost)("main"))
    await ring.push(FIRST + 5, NEW)
    fetched = await ring.reader.fetch("main", FIRST, {})
    assert [(chunk.seq, chunk.frame) for chunk in fetched.chunks] == [
        (FIRST + 5, b"%d 1000-2 0-0" % (FIRST + 5))
    ]


async def test_a_worker_of_a_channel_that_was_created_anew_is_told_so(ring: Ring) -> None:
    ring.epoch_us += 1
    assert await ring.push(FIRST, OLD) == PushReply(Outcome.EPOCH)


async def test_a_worker_of_a_channel_that_was_deleted_is_told_so(ring: Ring) -> None:
    await ring.client.delete(ring.state_key)
    assert await ring.push(FIRST, OLD) == PushReply(Outcome.EPOCH)
    with pytest.raises(ChannelNotFound):
        await ring.reader.fetch("main", 0, {})


async def test_a_fetch_brings_what_the_reader_does_not_hold(ring: Ring) -> None:
    await ring.push(FIRST, OLD, OLD, OLD)
    everything = await ring.reader.fetch("main", 0, {})
    assert [chunk.seq for chunk in everything.chunks] == [FIRST, FIRST + 1, FIRST + 2]
    assert (everything.first_seq, everything.head_seq) == (FIRST, FIRST + 2)
    held = {chunk.seq: chunk.versions for chunk in everything.chunks}
    assert (await ring.reader.fetch("main", FIRST - 9, held)).chunks == []
    await ring.push(FIRST + 1, NEW, OLD, before=OLD)
    changed = await ring.reader.fetch("main", FIRST - 9, held)
    assert [(chunk.seq, chunk.versions) for chunk in changed.chunks] == [
        (FIRST + 1, Versions(NEW, OLD)),
        (FIRST + 2, Versions(OLD, NEW)),
    ]
    assert changed.chunks[0].frame == b"%d 1000-2 1000-0" % (FIRST + 1)


@pytest.mark.parametrize("behind", [0, 30, 400, LIVE])
async def test_a_reader_that_asks_from_far_back_gets_nothing_twice(ring: Ring, behind: int) -> None:
    await ring.push(FIRST, *[OLD] * 16)
    held = {seq: Versions(OLD) for seq in range(FIRST - 30, FIRST)}
    held |= await ring.reader.versions("main")
    assert (await ring.reader.fetch("main", FIRST - behind, held)).chunks == []


async def test_a_fetch_tells_the_time_and_what_is_frozen_by_it(ring: Ring) -> None:
    fetched = await ring.reader.fetch("main", 0, {})
    assert fetched.epoch_us == ring.epoch_us
    assert fetched.unfrozen_seq == (fetched.now_us - ring.epoch_us + GUARD_US) // 100_000 + 1
    assert (fetched.first_seq, fetched.head_seq, fetched.chunks) == (0, -1, [])


async def test_the_ring_goes_on_after_the_broker_forgot_its_functions(ring: Ring) -> None:
    for seq in range(FIRST, FIRST + 3):
        await ring.client.script_flush()
        assert (await ring.push(seq, OLD, before=OLD if seq > FIRST else NO_ENTRY)).outcome is Outcome.OK
        await ring.client.script_flush()
        assert (await ring.reader.fetch("main", 0, {})).head_seq == seq
