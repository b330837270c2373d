"""Real workers with a real broker: takeover, two owners, revisions; every byte equals the offline render."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.channel import assignment
from auralis.keyspace import Keyspace
from auralis.ring.reader import RingReader
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, encode_batch
from auralis.timing import RING_CHUNKS, first_unfrozen_seq
from auralis.wire import unpack
from services.offline.replay import replay
from services.synth.renderer import Job, Renderer
from services.synth.rendering import Rendering
from services.synth.worker import Worker
from tests.device import DEVICE
from tests.integration.synth.stage import AUDIO, Stage, observations


async def test_the_ring_is_the_offline_render(stage: Stage) -> None:
    """What a worker puts into the ring is, byte for byte, what the finished log renders to offline."""
    async with stage.working("one"):
        await stage.filled()
        await stage.listen(1.5)
    # A chunk at which the ring began is faded in.
    begun = max(seq for seq in stage.frozen if stage.versions[seq].predecessor == NO_ENTRY)
    seqs = [seq for seq in sorted(stage.frozen) if seq > begun]
    assert len(seqs) > 10
    score = await stage.score()
    for seq, pcm in zip(seqs, replay(score, 5, AUDIO, seqs, DEVICE), strict=True):
        assert bytes(unpack(stage.frozen[seq])[1]) == pcm


async def test_what_reaches_the_ring_is_timed(stage: Stage) -> None:
    """Every chunk that the ring holds is timed."""
    async with stage.working("one"):
        await stage.filled()
        (metrics,) = stage.metrics
        held = len(await RingReader(stage.client, stage.keys).versions("main"))
        async with asyncio.timeout(20):  # the worker may not have read the last reply yet
            while observations(metrics.chunk_seconds) < held:
                await stage.listen(0.03)


@pytest.mark.parametrize("missed_by", ["its connection", "its lease"])
async def test_a_killed_worker_is_not_heard(
    stage: Stage, missed_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies in mid-note without notice; the other one takes over with the same bytes."""
    if missed_by == "its connection":
        monkeypatch.setattr(assignment, "LEASE_MS", 60_000)
    async with stage.working("one") as one:
        await stage.filled()
        async with stage.working("two"), stage.seen("one" if missed_by == "its lease" else "nobody"):
            stage.kill("one", one)
            unfrozen = first_unfrozen_seq((await stage.state()).epoch_us, stage.clock.now_us())
            await stage.listen(3.0)
    assert max(stage.frozen) > unfrozen + RING_CHUNKS
    await stage.assert_as_offline()


async def test_a_long_log_is_forgotten_before_anything_is_rendered_from_it(
    client: Redis, keys: Keyspace, redis_url: str
) -> None:
    """With an hour of log each view would take 9 ms, and a channel's past needs one view per second."""
    stage, known, asked = Stage(client, keys, redis_url), list[int](), asyncio.Event()
    await stage.compose(age_s=600)

    async def nothing() -> bool:
        known.extend(len(channel.score._entries) for channel in one._tracked.values())
        if known:
            asked.set()
        return False

    async with stage.working("one"):
        await stage.filled()
    await _lengthen(stage, 500)
    async with stage.working("one") as one:
        one._render_most_urgent = nothing  # type: ignore[method-assign]
        await asyncio.wait_for(asked.wait(), 20)
    assert known[0] < 20


async def test_who_has_nothing_to_render_gets_ready_for_the_channels_of_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, asked = set[Rendering](), asyncio.Event()

    def get_ready(engine: Rendering, audio: AudioFormat) -> None:
        assert audio == AUDIO
        ready.add(engine)
        asked.set()

    async with stage.working("one"):
        await stage.filled()
        monkeypatch.setattr(Rendering, "get_ready", get_ready)
        async with stage.working("two") as two:
            async with asyncio.timeout(20):
                while two._engine not in ready:
                    await asked.wait()
                    asked.clear()
            assert two._share.held == frozenset()


async def _lengthen(stage: Stage, entries: int) -> None:
    """Insert this many entries before those of the log."""
    log = stage.keys.score("main")
    written = await stage.client.xrange(log)
    await stage.client.delete(log)
    for number in range(entries):
        earlier = encode_batch(Batch(0, AUDIO.frames(number), AUDIO.frames(number + 1), ()))
        await stage.client.xadd(log, {"batch": earlier}, id=f"{number + 1}-0")
    for entry_id, fields in written:
        await stage.client.xadd(log, fields, id=entry_id)


async def test_two_owners_are_harmless(stage: Stage) -> None:
    """A worker that was suspended past its lease continues: both push the same bytes, one is refused."""
    async with stage.working("one"):
        await stage.filled()
        async with stage.working("two") as two:
            await _believe(two, "main")
            await stage.listen(1.5)
    await stage.assert_as_offline()
    refused = [
        sample.value
        for metrics in stage.metrics
        for family in metrics.refused.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["reason"] == "stale"
    ]
    assert sum(refused) > 0


async def test_who_hands_a_channel_over_goes_on_until_the_other_one_can(stage: Stage) -> None:
    """The other has to render the past first; with several channels, a ring would be empty by then."""
    async with stage.working("one") as one:
        await stage.filled()
        await _believe(one)
        unfrozen = first_unfrozen_seq((await stage.state()).epoch_us, stage.clock.now_us())
        await stage.listen(2.5)
        assert one._tracked.keys() == {"main"}
        await stage.filled()
        async with asyncio.timeout(20):
            while one._tracked:
                await stage.listen(0.1)
    assert max(stage.frozen) > unfrozen + 20
    await stage.assert_as_offline()


async def _believe(worker: Worker, *channels: str) -> None:
    """Make ``worker`` consider ``channels`` its own, whatever the broker says."""

    async def nothing_new() -> None:
        worker._share.membership.held = frozenset(channels)

    worker._share.membership._round = nothing_new  # type: ignore[method-assign]
    await nothing_new()


async def test_revisions_are_exact_and_their_delays_are_counted(stage: Stage) -> None:
    """A revision is heard from the promised chunk on; chunks that a busy machine renders late are counted."""
    promised = {}
    async with stage.working("one"):
        await stage.filled()
        for number in range(1, 6):
            promised[number] = await stage.revise(number % 2, number)
            await stage.listen(0.35)
        await stage.listen(0.6)
    await stage.assert_as_offline()
    revision_of = {seq: unpack(frame)[0].revision for seq, frame in stage.frozen.items()}
    for number, seq in promised.items():
        assert min(s for s, revision in revision_of.items() if revision >= number) >= seq
    (metrics,) = stage.metrics
    missed = metrics.deadline_misses.collect()[0].samples[0].value
    assert missed == sum(revision_of[s] < _due_revision(s, promised) for s in revision_of)


async def test_a_revision_does_not_wait_until_a_busy_worker_is_done(stage: Stage) -> None:
    """What is announced while a batch is being rendered is read before the next batch."""
    known = list[EntryId]()

    async def endless() -> bool:
        known.append(one._tracked["main"].score.last_id)
        await asyncio.sleep(0.02)
        return True

    async with stage.working("one") as one:
        await stage.filled()
        one._render_most_urgent = endless  # type: ignore[method-assign]
        before = one._tracked["main"].score.last_id
        await stage.listen(0.1)  # until the worker is busy
        await stage.revise(1.0, 1)
        known.clear()
        await asyncio.sleep(0.2)
    assert known.count(before) <= 2
    assert len(known) > 4


async def test_voices_are_built_before_they_begin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parallel with the chunks, not during one that has to wait for them."""
    build, onsets = Renderer.build_ahead, set[int]()

    def watched(renderer: Renderer, jobs: Sequence[Job]) -> None:
        last = max(AUDIO.end_frame(job.seq) for job in jobs)
        build(renderer, jobs)
        notes = (note for (note, _), _ in renderer._cast._voices._kept.values())
        onsets.update(note.at_frame for note in notes if note.at_frame >= last)

    monkeypatch.setattr(Renderer, "build_ahead", watched)
    async with stage.working("one"):
        await stage.filled()
        await stage.listen(1.0)
    score = await stage.score()
    assert onsets
    assert onsets <= {note.at_frame for note in score.view().notes(0, score.until_frame)}


def _due_revision(seq: int, promised: dict[int, int]) -> int:
    """The revision that chunk ``seq`` should carry."""
    return max((number for number, first in promised.items() if first <= seq), default=0)
