"""Random lives of a ring: two workers, a growing log, passing time, and readers with mirrors.

The workers follow the log at their own pace and act on what they last saw of the ring. After each step the
ring in the broker is checked against what a ring promises, and each push against its rules, written down a
second time in Python.
"""

import asyncio
from itertools import pairwise
from typing import NamedTuple

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.ring.writer import Outcome, PushReply, RenderedChunk, RingWriter
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.timing import RING_AHEAD_CHUNKS, RING_CHUNKS
from tests.integration.auralis.simulated import SimulatedChannel

LONGEST_RUN = 4


class Logged(NamedTuple):
    """A log entry as far as a ring is concerned: the first chunk whose score it changes."""

    id: EntryId
    from_seq: int


Ring = dict[int, Versions]
Run = list[Versions]


# The log entries that a chunk and its predecessor claim to be rendered from.
PICKS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5)


class Worker:
    """What one owner of the channel knows."""

    def __init__(self) -> None:
        self.known = 1
        self.ring: Ring = {}
        self.last: tuple[int, Run] | None = None


def frame(seq: int, versions: Versions) -> bytes:
    """A chunk's bytes are a function of its seq and versions, whichever worker renders it."""
    return f"{seq} {versions}".encode()


def canonical(log: list[Logged], seq: int) -> EntryId:
    """The newest entry that can affect a chunk."""
    return next((entry.id for entry in reversed(log) if entry.from_seq <= seq), NO_ENTRY)


def chain(log: list[Logged], start: int, length: int, before: EntryId) -> Run:
    """The chunks from ``start`` on as ``log`` defines them, after one that was rendered from ``before``."""
    run = []
    for seq in range(start, start + length):
        run.append(Versions(canonical(log, seq), before))
        before = run[-1].own
    return run


def judged(ring: Ring, live: int, start: int, run: Run) -> Outcome:  # noqa: PLR0911  one for each outcome
    """The reply that a push must get, by the rules of the ring."""
    unfrozen, last = live + 2, start + len(run) - 1
    if start < unfrozen:
        return Outcome.FROZEN
    if last > live + RING_AHEAD_CHUNKS:
        return Outcome.AHEAD
    head = max(ring, default=start - 1)
    if head + 1 < unfrozen:
        ring = {}
    if ring and not min(ring) <= start <= head + 1:
        return Outcome.GAP
    before = ring[start - 1].own if start - 1 in ring else ring[start].predecessor if ring else NO_ENTRY
    if run[0].predecessor != before:
        return Outcome.CHAIN
    for index, versions in enumerate(run):
        if index and versions.predecessor != run[index - 1].own:
            return Outcome.CHAIN
        stored = ring.get(start + index)
        if stored and (versions.own < stored.own or (index == 0 and versions.own == stored.own)):
            return Outcome.STALE
    after = ring.get(last + 1)
    return Outcome.CHAIN if after and after.predecessor != run[-1].own else Outcome.OK


class RingMachine(RuleBasedStateMachine):
    """See the module docstring."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        super().__init__()
        self.channel = SimulatedChannel(runner, url)
        keys = self.channel.keys
        self.writer = RingWriter(self.channel.client, keys)
        self.reader = RingReader(self.channel.client, keys)
        self.log = [Logged(EntryId(1_700_000_000_000, 0), 0)]
        self.workers = (Worker(), Worker())
        self.mirrors: tuple[dict[int, tuple[Versions, bytes]], ...] = ({}, {})
        self.heard: dict[int, bytes] = {}
        self.ring: Ring = {}

    def teardown(self) -> None:
        self.channel.close()

    # Steps

    @rule(ticks=st.sampled_from((1, 1, 1, 2, 3, 9, 25)))
    def time_passes(self, ticks: int) -> None:
        self.channel.live += ticks

    @rule(offset=st.integers(0, 12), same_millisecond=st.booleans())
    def the_score_is_revised(self, offset: int, same_millisecond: bool) -> None:
        newest = self.log[-1].id
        entry = EntryId(newest.ms, newest.n + 9) if same_millisecond else EntryId(newest.ms + 10, 0)
        self.log.append(Logged(entry, self.channel.live + 3 + offset))

    @rule(who=st.integers(0, 1), entries=st.integers(1, 3))
    def a_worker_reads_on(self, who: int, entries: int) -> None:
        worker = self.workers[who]
        worker.known = min(worker.known + entries, len(self.log))

    @rule(who=st.integers(0, 1))
    def a_worker_looks_at_the_ring(self, who: int) -> None:
        self.workers[who].ring = self.channel.run(self.reader.versions(self.channel.id))

    @rule(who=st.integers(0, 1), length=st.integers(1, LONGEST_RUN))
    def a_worker_goes_on(self, who: int, length: int) -> None:
        worker = self.workers[who]
        unfrozen, head = self.channel.live + 2, max(worker.ring, default=0)
        before = worker.ring[head].own if head + 1 >= unfrozen else NO_ENTRY
        start = max(head + 1, unfrozen)
        self._push(worker, start, chain(self._known(worker), start, length, before))

    @rule(who=st.integers(0, 1), length=st.integers(1, LONGEST_RUN))
    def a_worker_renders_again(self, who: int, length: int) -> None:
        """Only the first run of a re-render; whether another follows is up to chance."""
        worker = self.workers[who]
        known, ring, head = self._known(worker), worker.ring, max(worker.ring, default=0)
        ahead = range(self.channel.live + 2, head + 1)
        changed = [seq for seq in ahead if seq in ring and canonical(known, seq) > ring[seq].own]
        if not changed:
            return
        start, last = changed[0], min(changed[0] + length - 1, head)
        before = ring[start - 1].own if start - 1 in ring else ring[start].predecessor
        run = chain(known, start, last - start + 1, before)
        if last < head and run[-1].own != ring[last + 1].predecessor:
            run.append(Versions(ring[last + 1].own, run[-1].own))  # the escape
        self._push(worker, start, run)

    @rule(who=st.integers(0, 1))
    def a_worker_pushes_once_more(self, who: int) -> None:
        """The reply of its last push was lost."""
        if last := self.workers[who].last:
            assert self._push(self.workers[who], *last).outcome is not Outcome.OK

    @rule(start=st.integers(-2, 22), picks=PICKS)
    def somebody_pushes_anything(self, start: int, picks: list[tuple[int, int]]) -> None:
        ids = [NO_ENTRY, *(entry.id for entry in self.log)]
        run = [Versions(ids[own % len(ids)], ids[before % len(ids)]) for own, before in picks]
        self._push(Worker(), self.channel.live + start, run)

    @rule()
    def somebody_pushes_for_another_epoch(self) -> None:
        """The channel was deleted and recreated, and a worker has not noticed yet."""
        start = max(self.ring, default=self.channel.live + 1) + 1
        run = _rendered(start, chain(self.log, start, 1, NO_ENTRY))
        push = self.writer.push(self.channel.id, self.channel.epoch_us - 1, start, run)
        assert self.channel.run(push) == PushReply(Outcome.EPOCH)

    @rule(who=st.integers(0, 1), behind=st.integers(-3, 25), forgotten=st.sets(st.integers(0, 20)))
    def a_reader_fetches(self, who: int, behind: int, forgotten: set[int]) -> None:
        mirror = self.mirrors[who]
        for offset in forgotten:
            mirror.pop(self.channel.live + offset, None)
        start = self.channel.live - behind
        held = {seq: versions for seq, (versions, _) in mirror.items()}
        self.channel.settle()
        fetched = self.channel.run(self.reader.fetch(self.channel.id, start, held))
        expected = {seq: v for seq, v in self.ring.items() if seq >= start and held.get(seq) != v}
        assert {chunk.seq: chunk.versions for chunk in fetched.chunks} == expected
        assert fetched.first_seq == min(self.ring, default=0)
        assert fetched.head_seq == max(self.ring, default=-1)
        for chunk in fetched.chunks:
            mirror[chunk.seq] = (chunk.versions, chunk.frame)
        for seq in range(max(start, fetched.first_seq), min(fetched.unfrozen_seq, fetched.head_seq + 1)):
            self._hear(seq, mirror[seq][1])

    # Invariants

    @invariant()
    def the_ring_keeps_its_promises(self) -> None:
        before, self.ring = self.ring, self._looked_at()
        seqs = sorted(self.ring)
        assert len(seqs) <= RING_CHUNKS
        for one, following in pairwise(seqs):
            assert following == one + 1
            assert self.ring[following].predecessor == self.ring[one].own
        for seq in before.keys() & self.ring.keys():
            assert self.ring[seq].own >= before[seq].own

    # Helpers

    def _known(self, worker: Worker) -> list[Logged]:
        return self.log[: worker.known]

    def _push(self, worker: Worker, start: int, run: Run) -> PushReply:
        self.channel.settle()
        expected = judged(self.ring, self.channel.live, start, run)
        push = self.writer.push(self.channel.id, self.channel.epoch_us, start, _rendered(start, run))
        reply = self.channel.run(push)
        if self.channel.steady:
            assert reply.outcome is expected
        self._check_effect(start, run, reply)
        if reply.outcome is Outcome.OK:
            worker.last = (start, run)
            worker.ring |= dict(enumerate(run, start))
        return reply

    def _check_effect(self, start: int, run: Run, reply: PushReply) -> None:
        """Either the whole run is stored or nothing; frozen chunks never change."""
        ring, frozen = self._looked_at(), self.channel.live + 2
        if reply.outcome is not Outcome.OK:
            assert ring == self.ring
            return
        pushed = dict(enumerate(run, start))
        assert {seq: ring.get(seq) for seq in pushed} == pushed
        untouched = ring.keys() & self.ring.keys() - pushed.keys()
        assert all(ring[seq] == self.ring[seq] for seq in untouched | {s for s in ring if s < frozen})
        assert reply.seq is not None

    def _looked_at(self) -> Ring:
        """The ring as stored in the broker: its list and its hash must agree."""
        frames, meta = self.channel.run(self._raw())
        first = int(meta.pop(b"first", 0))
        versions = {int(seq): Versions.parse(pair) for seq, pair in meta.items()}
        assert frames == [frame(seq, versions[seq]) for seq in range(first, first + len(frames))]
        assert len(versions) == len(frames)
        return versions

    async def _raw(self) -> tuple[list[bytes], dict[bytes, bytes]]:
        keys, channel = self.channel.keys, self.channel.id
        pipeline = self.channel.client.pipeline(transaction=True)
        pipeline.lrange(keys.ring(channel), 0, -1)
        pipeline.hgetall(keys.ringmeta(channel))
        frames, meta = await pipeline.execute()
        return frames, meta

    def _hear(self, seq: int, payload: bytes) -> None:
        """No reader ever hears two payloads for one frozen chunk."""
        assert self.heard.setdefault(seq, payload) == payload


def _rendered(start: int, run: Run) -> list[RenderedChunk]:
    return [RenderedChunk(versions, frame(seq, versions)) for seq, versions in enumerate(run, start)]


def run_ring_machine(url: str, lives: int, steps: int) -> None:
    """Let ``lives`` rings live on the broker at ``url``, each for up to ``steps`` steps."""
    # Shrinking on a real broker would take minutes, so a failing life is reported with its original steps.
    profile = settings(max_examples=lives, stateful_step_count=steps, phases=[Phase.generate])
    with asyncio.Runner() as runner:
        run_state_machine_as_test(lambda: RingMachine(runner, url), settings=profile)
