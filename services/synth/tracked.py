"""A channel as its worker tracks it: caches of what the broker holds, never a truth."""

from dataclasses import dataclass, field
from typing import Final, Self

from auralis.audio import AudioFormat, due_us, live_seq
from auralis.channel.state import ChannelState
from auralis.ring.writer import RenderedChunk
from auralis.score.score import Score
from auralis.timing import first_unfrozen_seq
from auralis.wire import PCM_S16LE, Header, pack
from services.synth.renderer import Job, history_s
from services.synth.schedule import RingView, Run, next_run, window

_KEPT_CHUNKS: Final = 5


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
    # Whether the ring may hold something else than ``ring`` says.
    ring_unknown: bool = True
    # The first chunk that had not frozen when deadlines were last looked at.
    checked_seq: int = 0

    @classmethod
    def of(cls, state: ChannelState) -> Self:
        """A channel of which nothing has been read yet."""
        audio = AudioFormat(state.sample_rate_hz)
        return cls(state.id, state.epoch_us, state.seed, audio, state.always_on)

    def next_run(self, now_us: int, ready_us: int) -> Run | None:
        """The most urgent run of chunks, to be pushed at about ``ready_us``."""
        return next_run(self.score, self.ring, window(self.epoch_us, now_us, ready_us), self.audio)

    def jobs(self, run: Run) -> list[Job]:
        """What the renderer has to do for ``run``."""
        return [
            Job(self.seed, self.score, seq, versions)
            for seq, versions in enumerate(run.versions, run.first_seq)
        ]

    def chunks(self, run: Run, pcm: list[bytes]) -> list[RenderedChunk]:
        """``run`` as the ring takes it."""
        return [
            RenderedChunk(job.versions, pack(self._header(job), payload))
            for job, payload in zip(self.jobs(run), pcm, strict=True)
        ]

    def rerenders(self, run: Run) -> bool:
        """Whether ``run`` replaces chunks that the ring holds."""
        return run.first_seq in self.ring.held

    def missed(self, now_us: int) -> int:
        """Chunks that froze since the last call in another version than the score has for them."""
        unfrozen = first_unfrozen_seq(self.epoch_us, now_us)
        frozen = range(self.checked_seq or unfrozen, unfrozen)
        self.checked_seq = unfrozen
        return sum(
            seq in self.ring.held
            and self.ring.held[seq].own < self.score.version_for(self.audio.end_frame(seq))
            for seq in frozen
        )

    def forget(self, now_us: int) -> None:
        """Drop what no chunk needs any more."""
        live = live_seq(self.epoch_us, now_us)
        self.ring.forget(live - _KEPT_CHUNKS)
        if self.ring.held:
            oldest = min(min(v.own, v.predecessor) for v in self.ring.held.values())
            audible = self.audio.frames(history_s())
            self.score.forget(self.audio.start_frame(live - _KEPT_CHUNKS) - audible, oldest)

    def _header(self, job: Job) -> Header:
        revision = self.score.revision_of(job.versions.own)
        return Header(PCM_S16LE, 0, revision, job.seq, due_us(self.epoch_us, job.seq))
