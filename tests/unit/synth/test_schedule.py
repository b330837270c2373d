"""What a worker renders next: runs, escapes, and a ring that is seamless at every moment."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.audio import CHUNK_US, AudioFormat, live_seq
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, Revise
from auralis.score.score import Score
from auralis.timing import RING_AHEAD_CHUNKS, first_revisable_seq, first_unfrozen_seq
from services.synth.schedule import LONGEST_RUN, RingView, Run, next_run, window

AUDIO = AudioFormat()
F = AUDIO.frames_per_chunk


def written(seconds: float = 60) -> Score:
    """A score from frame 0 on."""
    score = Score()
    score.apply(EntryId(1, 0), Batch(revision=0, from_frame=0, until_frame=AUDIO.frames(seconds), events=()))
    return score


def revised(score: Score, number: int, seq: int) -> None:
    """A control change that takes effect at chunk ``seq``."""
    batch = Batch(
        revision=number,
        from_frame=seq * F,
        until_frame=max(score.until_frame, seq * F + 1),
        events=(Revise(seq * F),),
    )
    score.apply(EntryId(1 + number, 0), batch)


def filled(score: Score, ring: RingView, now_us: int, longest: int = LONGEST_RUN) -> list[Run]:
    """All runs that the worker renders at ``now_us`` until nothing is left to do."""
    runs = []
    while (run := next_run(score, ring, window(0, now_us, now_us + 15_000), AUDIO, longest)) is not None:
        ring.pushed(run)
        runs.append(run)
    return runs


def chain_is_seamless(ring: RingView) -> bool:
    """Whether every chunk's stored predecessor is the version of the chunk before it."""
    seqs = sorted(ring.held)
    return all(ring.held[b].predecessor == ring.held[a].own for a, b in pairwise(seqs))


def test_nothing_is_rendered_before_anything_is_written() -> None:
    """An empty score has no chunk."""
    assert next_run(Score(), RingView(), window(0, 5_000_000, 5_015_000), AUDIO) is None


def test_an_empty_ring_begins_with_one_chunk_out_of_silence() -> None:
    """The first run is the first chunk that can still be heard, alone, without a predecessor."""
    run = next_run(written(), RingView(), window(0, 1_000_000, 1_015_000), AUDIO)
    assert run == Run(first_unfrozen_seq(0, 1_015_000), (Versions(EntryId(1, 0), NO_ENTRY),))


def test_a_piece_that_begins_later_is_not_rendered_before_it() -> None:
    """Chunks before the first entry's first frame are left out."""
    score = Score()
    score.apply(EntryId(1, 0), Batch(revision=0, from_frame=9 * F, until_frame=99 * F, events=()))
    run = next_run(score, RingView(), window(0, 100_000, 115_000), AUDIO)
    assert run is not None
    assert run.first_seq == 9


def test_the_ring_is_filled_to_its_depth() -> None:
    """Runs are short and end at the ring's limit."""
    ring = RingView()
    runs = filled(written(), ring, 1_000_000)
    assert ring.head == live_seq(0, 1_000_000) + RING_AHEAD_CHUNKS
    assert max(len(run.versions) for run in runs) <= LONGEST_RUN
    assert chain_is_seamless(ring)


def test_a_new_entry_beyond_the_ring_renders_nothing_again() -> None:
    """An extension of the score does not touch chunks that end before it."""
    score, ring = written(10), RingView()
    filled(score, ring, 1_000_000)
    score.apply(
        EntryId(2, 0),
        Batch(revision=0, from_frame=AUDIO.frames(10), until_frame=AUDIO.frames(12), events=()),
    )
    assert next_run(score, ring, window(0, 1_000_000, 1_015_000), AUDIO) is None


def test_a_revision_is_rendered_from_its_first_chunk_on_with_an_escape() -> None:
    """The changed chunks come first; the run ends with the old score, crossfaded from the new one."""
    score, ring = written(), RingView()
    filled(score, ring, 1_000_000)
    revised(score, 1, 14)
    run = next_run(score, ring, window(0, 1_000_000, 1_015_000), AUDIO)
    new, old = EntryId(2, 0), EntryId(1, 0)
    assert run is not None
    assert run.first_seq == 14
    assert run.versions[0] == Versions(new, old)
    assert run.versions[1] == Versions(new, new)
    assert run.versions[-1] == Versions(old, new)
    ring.pushed(run)
    assert chain_is_seamless(ring)


def test_a_run_is_as_short_as_asked() -> None:
    """The chunk that is due first is in the ring first: here each in a run of its own, plus an escape."""
    score, ring = written(), RingView()
    filled(score, ring, 1_000_000)
    revised(score, 1, 14)
    runs = filled(score, ring, 1_000_000, longest=1)
    assert ring.head is not None
    assert [run.first_seq for run in runs] == list(range(14, ring.head + 1))
    assert {len(run.versions) for run in runs[:-1]} == {2}


def test_a_chunk_that_froze_too_early_keeps_its_old_score() -> None:
    """If the revision's first chunk has frozen by now, the run begins after it, with a seam to the old."""
    score, ring = written(), RingView()
    filled(score, ring, 1_000_000)
    revised(score, 1, 14)
    run = next_run(score, ring, window(0, 1_300_000, 1_315_000), AUDIO)
    assert run is not None
    assert run.first_seq == first_unfrozen_seq(0, 1_315_000) > 14
    assert run.versions[0] == Versions(EntryId(2, 0), EntryId(1, 0))


def test_a_ring_that_runs_low_is_filled_before_a_revision_is_rendered() -> None:
    """A change heard late is better than a ring that runs dry; the stale chunks are rendered afterwards."""
    score, ring, now = written(), RingView(), 10_000_000
    filled(score, ring, now)
    head = ring.head
    assert head is not None
    later = now + (RING_AHEAD_CHUNKS - 4) * CHUNK_US
    revised(score, 1, head - 1)
    (fill, *again) = filled(score, ring, later)
    assert fill.first_seq == head + 1
    assert [versions.own for versions in fill.versions] == [EntryId(2, 0)] * LONGEST_RUN
    assert again[0].first_seq == head - 1
    assert all(versions.own == EntryId(2, 0) for seq, versions in ring.held.items() if seq >= head - 1)
    assert chain_is_seamless(ring)


def test_a_worker_that_lags_behind_leaves_newer_chunks_alone() -> None:
    """Chunks rendered by a worker that has read further are not rendered again from the older score."""
    score, ring = written(), RingView()
    filled(score, ring, 1_000_000)
    newer = {seq: Versions(EntryId(9, 0), EntryId(9, 0)) for seq in ring.held}
    ring.held = newer
    assert next_run(score, ring, window(0, 1_000_000, 1_015_000), AUDIO) is None


def test_after_a_pause_the_ring_jumps_to_the_live_chunk() -> None:
    """Seqs follow the clock: a ring that has been played out starts afresh at the first unfrozen chunk."""
    score, ring = written(), RingView()
    filled(score, ring, 1_000_000)
    run = next_run(score, ring, window(0, 31_000_000, 31_015_000), AUDIO)
    assert run == Run(first_unfrozen_seq(0, 31_015_000), (Versions(EntryId(1, 0), NO_ENTRY),))
    ring.pushed(run)
    assert sorted(ring.held) == [run.first_seq]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans()), min_size=1, max_size=40),
    st.integers(1, LONGEST_RUN),
)
def test_interrupted_at_any_moment_the_ring_is_seamless(
    steps: list[tuple[int, int, bool]], longest: int
) -> None:
    """Whatever is revised and wherever a worker stops, neighbouring chunks in the ring fit together."""
    score, ring, now_us, number = written(3600), RingView(), 1_000_000, 0
    for chunks_later, runs, change in steps:
        now_us += chunks_later * CHUNK_US
        if change:
            number += 1
            revised(score, number, first_revisable_seq(0, now_us))
        for _ in range(runs):
            run = next_run(score, ring, window(0, now_us, now_us + 15_000), AUDIO, longest)
            if run is None:
                break
            assert len(run.versions) <= longest + 1
            assert run.first_seq >= first_unfrozen_seq(0, now_us)
            ring.pushed(run)
            assert chain_is_seamless(ring)
    filled(score, ring, now_us, longest)
    unfrozen = first_unfrozen_seq(0, now_us + 15_000)
    stale = [s for s in ring.held if s >= unfrozen and ring.held[s].own != score.version_for((s + 1) * F)]
    assert not stale
