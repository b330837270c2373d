"""The score log on a real broker."""

import asyncio
import re

import pytest
from redis.asyncio import Redis

from auralis.audio import CHUNK_US, AudioFormat, due_us
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.keyspace import Keyspace
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, encode_batch
from auralis.score.log import _PAGE, Appended, Refusal, ScoreReader, ScoreWriter
from auralis.timing import GUARD_US, LEAD_US, SCORE_RETENTION_MS
from tests.integration.auralis.score.machine import run_score_log_machine

AUDIO = AudioFormat()
FAR = AUDIO.frames(3_600)


@pytest.fixture
async def channel(client: Redis, keys: Keyspace) -> str:
    await Channels(client, keys).create("main", sample_rate_hz=44_100)
    return "main"


@pytest.fixture
def writer(client: Redis, keys: Keyspace) -> ScoreWriter:
    return ScoreWriter(client, keys, AUDIO)


@pytest.fixture
def reader(client: Redis, keys: Keyspace) -> ScoreReader:
    return ScoreReader(client, keys)


def test_a_log_is_what_was_accepted_whatever_happens_in_whatever_order(redis_url: str) -> None:
    """One of two composers wins, a late entry is refused and told the first frame allowed, none is lost."""
    run_score_log_machine(redis_url, lives=40, steps=20)


async def test_a_channel_that_is_not_there_has_no_log(writer: ScoreWriter, reader: ScoreReader) -> None:
    assert await writer.append("nobody", 0, Batch(0, FAR, FAR + 1, ()), {}) == Appended(None, Refusal.MISSING)
    assert await reader.read("nobody") == []


async def test_a_late_entry_is_told_the_first_frame_allowed(
    client: Redis, keys: Keyspace, channel: str, writer: ScoreWriter
) -> None:
    """Judged by the broker's clock, and rounded to the first frame of a chunk."""
    epoch_us = (await Channels(client, keys).state(channel)).epoch_us
    appended = await writer.append(channel, 0, Batch(0, 0, 1, ()), {})
    seconds, micros = await client.time()
    assert appended.refusal is Refusal.LATE
    assert appended.first_frame is not None
    seq, rest = divmod(appended.first_frame, AUDIO.frames_per_chunk)
    assert rest == 0
    now_us = seconds * 1_000_000 + micros
    assert due_us(epoch_us, seq) < now_us + GUARD_US + LEAD_US + CHUNK_US
    assert (await Channels(client, keys).state(channel)).version == 0


async def test_of_many_composers_at_once_exactly_one_is_heard(
    channel: str, writer: ScoreWriter, reader: ScoreReader
) -> None:
    batches = [Batch(number, FAR, FAR + 1, ()) for number in range(20)]
    replies = await asyncio.gather(*(writer.append(channel, 0, batch, {}) for batch in batches))
    (winner,) = [number for number, reply in enumerate(replies) if reply.entry_id is not None]
    assert {reply.refusal for reply in replies} == {None, Refusal.CONFLICT}
    assert [entry.batch.revision for entry in await reader.read(channel)] == [winner]


async def test_a_log_of_many_pages_is_read_in_order(
    client: Redis, keys: Keyspace, channel: str, reader: ScoreReader
) -> None:
    async with client.pipeline(transaction=False) as pipeline:
        for number in range(2 * _PAGE + 1):
            pipeline.xadd(keys.score(channel), {"batch": encode_batch(Batch(number, 0, 1, ()))})
        await pipeline.execute()
    entries = await reader.read(channel)
    assert [entry.batch.revision for entry in entries] == list(range(2 * _PAGE + 1))
    assert [e.batch.revision for e in await reader.read(channel, after=entries[-3].id)] == [999, 1000]


async def test_an_unreadable_entry_is_passed_over_counted_and_logged(
    client: Redis, keys: Keyspace, channel: str, reader: ScoreReader, capsys: pytest.CaptureFixture[str]
) -> None:
    good = encode_batch(Batch(0, 0, 1, ()))
    for fields in ({"batch": good}, {"batch": b"?"}, {"other": good}, {"batch": good}):
        await client.xadd(keys.score(channel), fields)
    assert len(await reader.read(channel)) == 2
    assert reader.rejected == 2
    lines = re.findall("score entry passed over", "".join(capsys.readouterr()))
    assert len(lines) == 2


async def test_what_is_older_than_an_hour_is_trimmed(
    client: Redis, keys: Keyspace, channel: str, writer: ScoreWriter, reader: ScoreReader
) -> None:
    """In whole nodes of the stream, and nothing younger is removed."""
    seconds, _ = await client.time()
    old_ms = seconds * 1000 - SCORE_RETENTION_MS - 60_000
    async with client.pipeline(transaction=False) as pipeline:
        for number in range(1_000):
            data = encode_batch(Batch(number, 0, 1, ()))
            pipeline.xadd(keys.score(channel), {"batch": data}, id=f"{old_ms + number}-0")
        await pipeline.execute()
    young = EntryId(seconds * 1000 - SCORE_RETENTION_MS + 60_000, 0)
    await client.xadd(keys.score(channel), {"batch": encode_batch(Batch(0, 0, 1, ()))}, id=str(young))
    appended = await writer.append(channel, 0, Batch(0, FAR, FAR + 1, ()), {})
    entries = await reader.read(channel)
    assert [entry.id for entry in entries[-2:]] == [young, appended.entry_id]
    assert len(entries) < 200


async def test_an_entry_wakes_those_who_wait(
    redis_url: str, client: Redis, keys: Keyspace, channel: str, writer: ScoreWriter
) -> None:
    wakeups = WakeUps(client, keys)
    listening = asyncio.create_task(wakeups.keep())
    await wakeups.wait(5)
    await writer.append(channel, 0, Batch(0, FAR, FAR + 1, ()), {})
    assert await wakeups.wait(5) == {("score", channel)}
    listening.cancel()


async def test_the_log_goes_on_after_the_broker_forgot_its_functions(
    client: Redis, channel: str, writer: ScoreWriter, reader: ScoreReader
) -> None:
    for version in range(3):
        await client.script_flush()
        assert (await writer.append(channel, version, Batch(0, FAR, FAR + 1, ()), {})).entry_id is not None
    assert len(await reader.read(channel)) == 3
