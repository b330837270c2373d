"""What to render next: a pure decision from the time, the ring and the score.

A *run* is a series of consecutive chunks that the ring takes in one push. Unless the ring runs low, chunks
whose canonical score id is newer than the one they were rendered from come first, then new ones at the ring's
end. A run that replaces only part of what is ahead ends with an *escape*: the next chunk, again from its old
score but crossfaded from the new one, so that the ring is seamless at every moment, whichever process dies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from auralis.audio import AudioFormat, live_seq
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.score import Score
from auralis.timing import RING_AHEAD_CHUNKS, first_unfrozen_seq

# In chunks. The first run of a revision is a single chunk, so that it reaches the ring before it freezes; the
# further ahead of the frozen chunks a run begins, the longer it may be.
LONGEST_RUN: Final = 6
# With fewer chunks than this ahead of the frozen ones the ring is filled before anything in it is rendered
# again: on a crowded machine it is better that a change is heard late than that the ring runs dry.
_LOW_CHUNKS: Final = 5


class Window(NamedTuple):
    """The chunks that may be rendered: the first one that is not frozen, the last one that the ring takes."""

    first_seq: int
    last_seq: int


class Run(NamedTuple):
    """Chunks ``first_seq``, ``first_seq + 1``, … with the versions to render them from."""

    first_seq: int
    versions: tuple[Versions, ...]

    @property
    def last_seq(self) -> int:
        """The last chunk of the run."""
        return self.first_seq + len(self.versions) - 1


@dataclass(slots=True)
class RingView:
    """The ring as a worker knows it: versions by seq. The broker corrects it where it is wrong."""

    held: dict[int, Versions] = field(default_factory=dict)

    @property
    def head(self) -> int | None:
        """The newest chunk."""
        return max(self.held, default=None)

    def pushed(self, run: Run) -> None:
        """Note a run that the ring took; one that leaves a gap after the head started the ring afresh."""
        head = self.head
        if head is not None and run.first_seq > head + 1:
            self.held.clear()
        for seq, versions in enumerate(run.versions, run.first_seq):
            self.held[seq] = versions

    def forget(self, before_seq: int) -> None:
        """Drop the chunks before ``before_seq``, which have been played."""
        self.held = {seq: versions for seq, versions in self.held.items() if seq >= before_seq}


def window(epoch_us: int, now_us: int, ready_us: int) -> Window:
    """The chunks that may be rendered now, if they are pushed at ``ready_us``."""
    return Window(first_unfrozen_seq(epoch_us, ready_us), live_seq(epoch_us, now_us) + RING_AHEAD_CHUNKS)


def next_run(
    score: Score, ring: RingView, window: Window, audio: AudioFormat, longest: int = LONGEST_RUN
) -> Run | None:
    """The most urgent run, of at most ``longest`` chunks and an escape.

    None if the ring is full and up to date.
    """
    unfrozen, last = window
    head = ring.head
    if head is None or head + 1 < unfrozen:
        return _fresh(score, max(unfrozen, _first_scored(score, audio)), last, audio)
    last = min(head + longest, last)
    if head < unfrozen + _LOW_CHUNKS and last > head:
        return _extension(score, ring.held, head, last, audio)
    changed = _first_changed(score, ring.held, unfrozen, head, audio)
    if changed is not None:
        length = min(1 + changed - unfrozen, longest)
        return _rerender(score, ring.held, changed, min(changed + length - 1, head), audio)
    return _extension(score, ring.held, head, last, audio) if last > head else None


def _first_scored(score: Score, audio: AudioFormat) -> int:
    """The first chunk that the score covers."""
    return audio.seq_at(score.from_frame)


def _fresh(score: Score, start: int, last: int, audio: AudioFormat) -> Run | None:
    """The run that starts the ring afresh: one chunk, for the sooner it is there the better."""
    own = score.version_for(audio.end_frame(start))
    return Run(start, (Versions(own),)) if own != NO_ENTRY and start <= last else None


def _first_changed(
    score: Score, held: Mapping[int, Versions], unfrozen: int, head: int, audio: AudioFormat
) -> int | None:
    for seq in range(unfrozen, head + 1):
        if seq in held and score.version_for(audio.end_frame(seq)) > held[seq].own:
            return seq
    return None


def _rerender(score: Score, held: Mapping[int, Versions], start: int, last: int, audio: AudioFormat) -> Run:
    before = held[start - 1].own if start - 1 in held else held[start].predecessor
    versions = _chain(score, before, start, last, audio)
    if last + 1 in held and versions[-1].own != held[last + 1].predecessor:
        versions.append(Versions(held[last + 1].own, versions[-1].own))
    return Run(start, tuple(versions))


def _extension(score: Score, held: Mapping[int, Versions], head: int, last: int, audio: AudioFormat) -> Run:
    return Run(head + 1, tuple(_chain(score, held[head].own, head + 1, last, audio)))


def _chain(score: Score, before: EntryId, start: int, last: int, audio: AudioFormat) -> list[Versions]:
    """The canonical versions of chunks ``start`` to ``last``, each with its predecessor's version."""
    versions = []
    for seq in range(start, last + 1):
        own = score.version_for(audio.end_frame(seq))
        versions.append(Versions(own, before))
        before = own
    return versions
