"""Which chunk is played when."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.audio import due_us
from auralis.ring.reader import FetchedChunk
from auralis.score.entry_id import EntryId
from auralis.timing import RING_CHUNKS
from services.gateway.playhead import BURST_CHUNKS, HISTORY_CHUNKS, Playhead
from tests.unit.gateway.ringing import EPOCH_US, at, chunk, fetched, frame, pcm


def playing(first: int = 100, last: int = 120, live: int = 102) -> Playhead:
    """A playhead that has started at ``live``, with the ring holding ``first`` to ``last``."""
    playhead = Playhead()
    playhead.absorb(fetched(at(live), [chunk(seq) for seq in range(first, last + 1)]))
    assert [sent.seq for sent in playhead.due(at(live))] == [live]
    return playhead


def test_begins_with_the_live_chunk() -> None:
    """What was due before the mirror was opened is history: others have sent it."""
    playhead = playing()
    assert [c.seq for c in playhead.start().backlog] == [100, 101, 102]
    assert playhead.holes == 0


def test_a_chunk_leaves_as_the_ring_holds_it() -> None:
    """Without a hole the bytes are the ring's own, unmarked."""
    playhead = playing()
    assert [c.data for c in playhead.due(at(105))] == [frame(103), frame(104), frame(105)]


def test_nothing_leaves_before_it_is_due() -> None:
    playhead = playing()
    assert playhead.due(at(103, -1)) == []
    assert [c.seq for c in playhead.due(at(103))] == [103]


def test_silent_before_the_first_chunk() -> None:
    """A channel whose synth has only just started has no holes yet."""
    playhead = Playhead()
    playhead.absorb(fetched(at(5), [chunk(8), chunk(9)]))
    assert playhead.due(at(7)) == []
    assert [c.seq for c in playhead.due(at(8))] == [8]
    assert playhead.holes == 0


def test_only_what_is_not_held_is_asked_for() -> None:
    playhead = playing(last=104)
    assert playhead.from_seq == 103
    assert {seq: v.own for seq, v in playhead.versions.items()} == {103: EntryId(1, 0), 104: EntryId(1, 0)}


def test_a_newer_version_replaces_the_mirrored_one() -> None:
    """If a re-render arrives before its chunk is due, the re-render is sent."""
    playhead = playing()
    playhead.absorb(fetched(at(102), [chunk(103, 2, before=1), chunk(104, 2)]))
    assert [c.data for c in playhead.due(at(104))] == [frame(103, 2), frame(104, 2)]


def test_a_sent_chunk_is_never_sent_again() -> None:
    """Even if a late fetch brings something new for a seq that has already left."""
    playhead = playing()
    playhead.due(at(104))
    playhead.absorb(fetched(at(104), [chunk(103, 2), chunk(104, 2)]))
    assert [c.seq for c in playhead.due(at(105))] == [105]


def test_plays_on_from_the_mirror() -> None:
    """Nothing is fetched for 1.8 s, yet the chunks that are held leave on time."""
    playhead = playing(last=120)
    seqs = [c.seq for tick in range(103, 121) for c in playhead.due(at(tick))]
    assert seqs == list(range(103, 121))
    assert playhead.holes == 0


def test_a_hole_is_covered_marked_and_counted() -> None:
    playhead = playing(last=104)
    covers = [playhead.due(at(seq))[-1] for seq in (105, 106)]
    playhead.due(at(104))
    assert [c.header.discontinuity for c in covers] == [True, True]
    assert [c.seq for c in covers] == [105, 106]
    assert [c.header.due_us for c in covers] == [due_us(EPOCH_US, 105), due_us(EPOCH_US, 106)]
    assert all(any(c.payload) for c in covers)
    assert playhead.holes == 2


def test_the_first_chunk_after_a_hole_is_marked() -> None:
    """It is faded in; the next one is again exactly the ring's."""
    playhead = playing(last=103)
    playhead.due(at(104))
    playhead.absorb(fetched(at(104), [chunk(105, before=0), chunk(106)]))
    first, second = playhead.due(at(106))
    assert first.header.discontinuity
    assert bytes(first.payload[-16:]) == pcm(105)[-16:]
    assert second.data == frame(106)


def test_a_stale_mirror_joins_without_a_step() -> None:
    """A chunk that was not rendered to follow the version just sent is faded in and marked."""
    playhead = playing(last=103)
    playhead.due(at(103))  # version 1; its re-render was not seen
    playhead.absorb(fetched(at(103), [chunk(104, 2, before=2)]))
    (joined,) = playhead.due(at(104))
    assert joined.header.discontinuity
    assert joined.data != frame(104, 2)
    assert playhead.holes == 0


def test_after_a_long_pause_the_live_chunk_comes_next() -> None:
    """A machine that slept for a minute does not send a minute of chunks."""
    playhead = playing()
    sent = playhead.due(at(700))
    assert [c.seq for c in sent] == [700]
    assert sent[0].header.discontinuity


def test_an_unreadable_chunk_is_a_hole() -> None:
    """Bytes that are not a frame, or belong to another chunk, are not passed on."""
    playhead = playing(last=102)
    broken = [FetchedChunk(103, chunk(103).versions, b"?"), FetchedChunk(104, chunk(104).versions, frame(9))]
    playhead.absorb(fetched(at(102), broken))
    assert [c.header.discontinuity for c in playhead.due(at(104))] == [True, True]
    assert playhead.rejected == 2


def test_another_epoch_begins_a_new_count() -> None:
    """The broker lost its data: seqs follow the new epoch, the sound is joined, nothing old remains."""
    playhead = playing()
    epoch_us = at(103) + 30_000
    assert playhead.absorb(fetched(at(103, 60_000), [], epoch_us))
    assert playhead.start().backlog == ()
    playhead.absorb(fetched(at(103, 60_000), [chunk(2, 7, 0, epoch_us), chunk(3, 7, 7, epoch_us)], epoch_us))
    sent = playhead.due(at(3, 0, epoch_us))
    assert [c.seq for c in sent] == [1, 2, 3]
    assert [c.header.discontinuity for c in sent] == [True, True, False]
    assert sent[2].header.due_us == due_us(epoch_us, 3)


def test_depth_counts_to_the_first_hole() -> None:
    playhead = playing(last=105)
    playhead.absorb(fetched(at(102), [chunk(108)]))
    assert playhead.depth() == 3


def test_fresh_only_while_chunks_come_from_the_ring() -> None:
    playhead = playing(last=103)
    assert playhead.fresh()
    playhead.due(at(104))
    assert not playhead.fresh()
    assert not Playhead().fresh()


def test_a_joining_client_gets_the_last_chunks() -> None:
    """Five at once, the next when it is due."""
    playhead = playing()
    playhead.due(at(110))
    start = playhead.start()
    assert [c.seq for c in start.backlog] == [106, 107, 108, 109, 110]
    assert len(start.backlog) == BURST_CHUNKS
    assert (start.first_seq, start.gap) == (111, False)


def test_a_resuming_client_gets_what_it_missed() -> None:
    playhead = playing()
    playhead.due(at(110))
    start = playhead.start(since=103)
    assert [c.seq for c in start.backlog] == [104, 105, 106, 107, 108, 109, 110]
    assert not start.gap


def test_a_client_that_heard_everything_waits_for_the_next() -> None:
    """So does one that was further ahead at another gateway."""
    playhead = playing()
    assert playhead.start(since=102) == ((), 103, False)
    assert playhead.start(since=104) == ((), 105, False)


def test_a_client_from_long_ago_or_another_epoch_begins_anew() -> None:
    """Its first chunk is marked: it does not follow what the client has heard."""
    playhead = playing()
    for since in (1, 5_000_000):
        start = playhead.start(since=since)
        assert ([c.seq for c in start.backlog], start.gap) == ([100, 101, 102], True)


def test_history_is_bounded() -> None:
    """Ten seconds of chunks and no more, however long it plays."""
    playhead = playing()
    for seq in range(103, 103 + 3 * HISTORY_CHUNKS):
        playhead.absorb(fetched(at(seq), [chunk(seq)]))
        playhead.due(at(seq))
    assert len(playhead.start(since=103 + 2 * HISTORY_CHUNKS).backlog) == HISTORY_CHUNKS - 1
    assert len(playhead.versions) == 0


class World:
    """A ring that keeps its rules, with replies that may be lost, and a playhead that mirrors it."""

    def __init__(self) -> None:
        self.playhead = Playhead()
        self.ring: dict[int, tuple[int, int]] = {}  # seq -> version, version of the chunk before
        self.now_us = at(100)
        self.heard: list[tuple[int, bytes, bool]] = []
        self.predecessors: dict[bytes, set[int]] = {}  # for each frame that was ever in the ring

    def produce(self, count: int) -> None:
        head = max(self.ring, default=None)
        unfrozen = fetched(self.now_us, []).unfrozen_seq
        if head is None or head + 1 < unfrozen:
            self.ring.clear()
            self.ring[unfrozen] = (1, 0)
            head = unfrozen
        for seq in range(head + 1, min(head + 1 + count, (self.now_us - EPOCH_US) // 100_000 + 19)):
            version = self.ring[seq - 1][0]
            self.ring[seq] = (version, version)

    def revise(self, ahead: int) -> None:
        start = fetched(self.now_us, []).unfrozen_seq + ahead
        if start not in self.ring or start - 1 not in self.ring:
            return
        version = max(own for own, _ in self.ring.values()) + 1
        before = self.ring[start - 1][0]
        for seq in range(start, max(self.ring) + 1):
            self.ring[seq] = (version, before)
            before = version

    def fetch(self) -> None:
        held = self.playhead.versions
        for seq in sorted(self.ring)[:-RING_CHUNKS]:
            del self.ring[seq]
        found = [chunk(seq, own, before) for seq, (own, before) in sorted(self.ring.items())]
        new = [c for c in found if c.seq >= self.playhead.from_seq and held.get(c.seq) != c.versions]
        self.playhead.absorb(fetched(self.now_us, new))

    def tick(self, micros: int) -> None:
        self.now_us += micros
        for sent in self.playhead.due(self.now_us):
            assert sent.header.due_us <= self.now_us
            self.heard.append((sent.seq, sent.data, sent.header.discontinuity))

    def step(self, produced: int, revised: int | None, fetches: bool, micros: int) -> None:
        """What happens in about one chunk's time; a fetch may fail."""
        self.produce(produced)
        if revised is not None:
            self.revise(revised)
        self.note()
        if fetches:
            self.fetch()
        self.tick(micros)

    def note(self) -> None:
        for seq, (own, before) in self.ring.items():
            self.predecessors.setdefault(frame(seq, own), set()).add(before)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.none() | st.integers(0, 4),
        st.booleans(),
        st.sampled_from([40_000, 100_000, 100_000, 100_000, 250_000, 1_500_000]),
    ),
    max_size=40,
)


def lived(steps: list[tuple[int, int | None, bool, int]]) -> World:
    """A world that starts well and then goes through these steps."""
    world = World()
    for _ in range(4):
        world.step(20, None, True, 100_000)
    for step in steps:
        world.step(*step)
    return world


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_any_interleaving(steps: list[tuple[int, int | None, bool, int]]) -> None:
    """Seqs rise by one, each is sent once, and every unmarked chunk is what the ring held."""
    world = lived(steps)
    seqs = [seq for seq, _, _ in world.heard]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert all(marked or data in world.predecessors for _, data, marked in world.heard)
    assert world.playhead.holes <= sum(marked for _, _, marked in world.heard)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_unmarked_neighbours_belong_together(steps: list[tuple[int, int | None, bool, int]]) -> None:
    """An unmarked chunk was rendered to follow the very version sent before it: no step, no click."""
    world = lived(steps)
    for (_, sent, _), (seq, following, marked) in pairwise(world.heard):
        if not marked:
            version = int.from_bytes(sent[4:8], "little")
            assert version in world.predecessors[following], seq
