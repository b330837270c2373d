"""A channel as its worker tracks it: caches of what the broker holds, never the authority."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Self

from auralis.audio import AudioFormat, due_us, live_seq
from auralis.channel.state import ChannelState
from auralis.ring.writer import RenderedChunk
from auralis.score.entry_id import NO_ENTRY
from auralis.score.score import Score
from auralis.timing import first_unfrozen_seq
from auralis.wire import PCM_S16LE, Header, pack
from services.synth.quality import WHOLE
from services.synth.renderer import Job, history_s
from services.synth.schedule import LONGEST_RUN, RingView, Run, next_run, window

_KEPT_CHUNKS: Final = 5
# Chunks that the worker renders while its request for another quality passes through the composer.
_ON_ITS_WAY_CHUNKS: Final = 2
# The most that one batch renders.
BATCH_CHUNKS: Final = 12
LONGEST_BATCH_US: Final = 400_000
# A new channel takes about this long, with its past, so channels that would run dry meanwhile go first.
_BEGINNING_US: Final = 1_000_000
# A channel whose ring still plays is a takeover: it is begun this much earlier than it is due.
_TAKEOVER_US: Final = 500_000
# A worker that has gone on rendering a channel lacks no more of its past than this.
_COLD_CHUNKS: Final = 20
# A longer gap means that the process was suspended or the channel asleep, not that the worker was overloaded.
_ABSENT_CHUNKS: Final = 30


@dataclass(slots=True)
class TrackedChannel:
    """Score and ring of one channel as far as they have been read."""

    id: str
    epoch_us: int
    seed: int
    audio: AudioFormat
    always_on: bool
    score: Score = field(default_factory=Score)
    ring: RingView = field(default_factory=RingView)
    # When the channel was last held by this worker, in seconds of its monotonic clock.
    own_s: float = 0.0
    # Whether the ring may differ from ``ring``.
    ring_unknown: bool = True
    # The first chunk that had not frozen when deadlines were last checked.
    checked_seq: int = 0
    # From this chunk on all have to be in time: set when the ring is first full after the channel came here
    # or woke up.
    steady_seq: int | None = None
    # The last chunk that this worker rendered, whichever worker's version the ring took.
    rendered_seq: int | None = None
    # Since the ladder last decided: chunks that were absent when they froze, and chunks that froze in the
    # version of an older score.
    missing: int = 0
    late: int = 0
    # The quality that was last reported.
    said_quality: float = WHOLE.value

    @classmethod
    def of(cls, state: ChannelState) -> Self:
        """A channel of which nothing has been read yet."""
        audio = AudioFormat(state.sample_rate_hz)
        return cls(state.id, state.epoch_us, state.seed, audio, state.always_on)

    @property
    def quality(self) -> float:
        """How much of the sound is to be rendered, according to the score's last ramp of quality."""
        ramps = self.score.view().automation("quality")
        return ramps[-1].value if ramps else WHOLE.value

    @property
    def unrendered_seq(self) -> int:
        """The first chunk at which a change can still be in time without anything being rendered twice."""
        return (self.ring.head or 0) + 1 + _ON_ITS_WAY_CHUNKS

    def is_cold(self, now_us: int) -> bool:
        """Whether the next chunk takes long: seconds of its past have to be rendered for it."""
        live = live_seq(self.epoch_us, now_us)
        return self.rendered_seq is None or live - self.rendered_seq > _COLD_CHUNKS

    def is_urgent(self, now_us: int) -> bool:
        """Whether the chunks that freeze next have to be rendered again."""
        first = first_unfrozen_seq(self.epoch_us, now_us)
        return self._is_late(first) or self._is_late(first + 1)

    def next_run(self, now_us: int, ready_us: int, longest: int = LONGEST_RUN) -> Run | None:
        """The most urgent run of chunks, ``longest`` at most, to be pushed at about ``ready_us``."""
        run = next_run(self.score, self.ring, window(self.epoch_us, now_us, ready_us), self.audio, longest)
        if run is None and self.steady_seq is None and self.ring.head is not None:
            self.steady_seq = self.ring.head + 1
        return run

    def jobs(self, run: Run) -> list[Job]:
        """The renderer's jobs for ``run``."""
        return [
            Job(self.seed, self.score, seq, versions)
            for seq, versions in enumerate(run.versions, run.first_seq)
        ]

    def chunks(self, run: Run, pcm: list[bytes]) -> list[RenderedChunk]:
        """``run`` and its PCM as the ring takes them."""
        return [
            RenderedChunk(job.versions, pack(self._header(job), payload))
            for job, payload in zip(self.jobs(run), pcm, strict=True)
        ]

    def rerenders(self, run: Run) -> bool:
        """Whether ``run`` replaces chunks that the ring holds."""
        return run.first_seq in self.ring.held

    def missed(self, now_us: int) -> int:
        """The number of chunks that froze since the last call and are missing, or of an older score."""
        unfrozen = first_unfrozen_seq(self.epoch_us, now_us)
        frozen = range(self.checked_seq or unfrozen, unfrozen)
        self.checked_seq = unfrozen
        if len(frozen) > _ABSENT_CHUNKS:
            self.steady_seq = None
        missing, late = (sum(map(wrong, frozen)) for wrong in (self._is_missing, self._is_late))
        self.missing += missing
        self.late += late
        return missing + late

    def _is_missing(self, seq: int) -> bool:
        return seq not in self.ring.held and self.steady_seq is not None and seq >= self.steady_seq

    def _is_late(self, seq: int) -> bool:
        versions = self.ring.held.get(seq)
        return versions is not None and versions.own < self.score.version_for(self.audio.end_frame(seq))

    def forget(self, now_us: int) -> None:
        """Drop everything in ring and score that no chunk needs any more."""
        live = live_seq(self.epoch_us, now_us)
        self.ring.forget(live - _KEPT_CHUNKS)
        if self.ring.held:
            versions = {version for held in self.ring.held.values() for version in held}
            oldest = min(versions - {NO_ENTRY})  # NO_ENTRY: the predecessor of a ring's first chunk
            audible = self.audio.frames(history_s())
            self.score.forget(self.audio.start_frame(live - _KEPT_CHUNKS) - audible, oldest)

    def _header(self, job: Job) -> Header:
        revision = self.score.revision_of(job.versions.own)
        return Header(PCM_S16LE, 0, revision, job.seq, due_us(self.epoch_us, job.seq))


Work = tuple[TrackedChannel, Run]


def most_urgent(
    channels: Iterable[TrackedChannel], now_us: int, batch_us: int, most_chunks: int = BATCH_CHUNKS
) -> list[Work]:
    """Runs in order of urgency, as many as fit into a batch; a cold channel is a batch of its own.

    A batch takes about ``batch_us`` and has at most ``most_chunks``; a single run may exceed these by its
    escape.
    """
    longest = min(most_chunks, LONGEST_RUN)
    runs: list[tuple[int, bool, Work]] = []
    for channel in channels:
        cold = channel.is_cold(now_us)
        run = channel.next_run(now_us, now_us + (LONGEST_BATCH_US if cold else batch_us), longest)
        if run is not None:
            due = due_us(channel.epoch_us, run.first_seq)
            if cold:
                due += -_TAKEOVER_US if run.first_seq - 1 in channel.ring.held else _BEGINNING_US
            runs.append((due, cold, (channel, run)))
    chosen: list[Work] = []
    chunks = 0
    for _, cold, work in sorted(runs, key=itemgetter(0)):
        chunks += len(work[1].versions)
        if chosen and (cold or chunks > most_chunks):
            break
        chosen.append(work)
        if cold:
            break
    return chosen
