"""The renderer: audio as a pure function of score and chunk number, batched over channels.

What it keeps between calls (voices already built, arrangements, tapes) is a cache of pure functions: any
renderer gives the same bytes for the same job, whatever it rendered before and whatever else is in the batch.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.score import Score
from auralis.timing import SEAM_MS
from services.synth.dsp import arrays, limiter, master
from services.synth.dsp.arrays import CPU, Device
from services.synth.mix import desk
from services.synth.mix.cast import Cast, Turn, longest_release_s
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.recent import Recent
from services.synth.mix.space import LONGEST_DELAY_CHUNKS, Plan, SpaceRenderer
from services.synth.mix.tape import Take, Tape

# The limiter needs the mixes of the chunk itself and of the chunks before it.
_MIXES: Final = limiter.HISTORY_CHUNKS + 1
# Chunks rendered at once: enough to be fast, few enough to stay in the processor's cache.
_AT_ONCE: Final = 16


class Job(NamedTuple):
    """One chunk of one channel, rendered from ``versions`` of ``score``."""

    seed: int
    score: Score
    seq: int
    versions: Versions


class _Track(NamedTuple):
    """The takes of a channel up to a chunk, in one version of its score."""

    seed: int
    takes: list[Take]


def seam(job: Job, audio: AudioFormat) -> EntryId | None:
    """The version of the score that a chunk has to be crossfaded from, or None.

    There is one if the predecessor in the ring was not rendered from the version that the chunk's own score
    has for it.
    """
    predecessor = job.versions.predecessor
    if predecessor == NO_ENTRY:
        return None
    expected = job.score.version_for(audio.start_frame(job.seq), newest=job.versions.own)
    return None if predecessor == expected else predecessor


def history_s() -> float:
    """Seconds of score before a chunk that can be heard in it: releases, echoes and rooms."""
    return longest_release_s() + SpaceRenderer.depth(_MIXES) / CHUNKS_PER_SECOND


class Renderer:
    """Renders on one device, with one intra-op thread: results must not depend on how the work is split."""

    def __init__(self, audio: AudioFormat, device: Device = CPU) -> None:
        threadpool_limits(1, user_api="blas")
        if not arrays.by_numpy(device):
            arrays.lazy_torch().set_num_threads(1)
        self._audio = audio
        self._device = device
        self._cast = Cast(audio)
        self._desk = desk.Desk()
        self._layers = LayerRenderer(audio, device, self._desk)
        self._space = SpaceRenderer(audio, device)
        # By channel; a score that was read again from its beginning counts as another channel.
        self._tapes = Recent[tuple[int, int], tuple[Score, Tape]]()
        # The channels that have had their turn in this round.
        self._served: set[int] = set()

    def take_skipped(self) -> Counter[str]:
        """How many notes could not be played since the last call, by reason."""
        taken, self._cast.skipped = self._cast.skipped, Counter()
        return taken

    def render(self, jobs: Sequence[Job]) -> list[bytes]:
        """The PCM of each job: 16-bit little-endian interleaved stereo."""
        self._next_round({job.seed for job in jobs})
        with arrays.computing(self._device):
            limited = list(self._mixed([track for job in jobs for track in self._tracks(job)]))
        chunks = iter(limited)
        return [self._finish(job, chunks) for job in jobs]

    def keep_up(self, job: Job, most: int) -> bool:
        """Render what later chunks need of ``job`` and its past, but no audio of its own.

        At most ``most`` chunks (two at least) a call, the oldest first; True once nothing is missing.
        """
        self._next_round({job.seed})
        track = self._track(job, job.versions.own)
        plan = self._space.plan(track.takes, 0)
        part = plan.oldest(most)
        with arrays.computing(self._device):
            self._play([(job.seed, take) for take in part.unplayed])
            self._space.mix([part])
        self._space.forget(part)
        for index in part.plays[:-1]:
            track.takes[index].shrink()
        return part is plan

    def build_ahead(self, jobs: Sequence[Job]) -> None:
        """Build some of the voices that begin soon after ``jobs``, while nothing waits for a chunk.

        They are taken from the newest version of the score: a chunk's own version may end soon after it, with
        a held chord that nobody will hear.
        """
        self._cast.build_ahead([Turn(job.seed, job.score.view(), job.seq) for job in jobs])

    def _next_round(self, seeds: set[int]) -> None:
        """Begin a round, in which caches forget what is old, once a channel has its turn again."""
        if seeds & self._served:
            self._served = set()
            for kept in (self._cast, self._layers, self._tapes):
                kept.next_round()
        self._served |= seeds

    def _tracks(self, job: Job) -> list[_Track]:
        old = seam(job, self._audio)
        versions = [job.versions.own] if old is None else [job.versions.own, old]
        return [self._track(job, version) for version in versions]

    def _track(self, job: Job, version: EntryId) -> _Track:
        return _Track(job.seed, self._tape(job).upto(job.score, version, job.seq))

    def _tape(self, job: Job) -> Tape:
        key = (job.seed, id(job.score))
        _, tape = self._tapes.get(key) or (job.score, self._new_tape())
        self._tapes.keep(key, (job.score, tape))
        return tape

    def _new_tape(self) -> Tape:
        return Tape(self._audio, self._space.depth(_MIXES), LONGEST_DELAY_CHUNKS + _MIXES)

    def _mixed(self, tracks: Sequence[_Track]) -> Iterator[NDArray[np.float32]]:
        """The last chunk of each track, limited; tracks of many channels are rendered and mixed together."""
        waiting: list[Plan] = []
        wanted: dict[int, tuple[int, Take]] = {}
        for track in tracks:
            plan = self._space.plan(track.takes, _MIXES)
            waiting.append(plan)
            wanted |= {id(take): (track.seed, take) for take in plan.unplayed}
            if len(wanted) >= _AT_ONCE or track is tracks[-1]:
                self._play(list(wanted.values()))
                self._space.mix(waiting)
                yield from [self._limited(each.takes) for each in waiting]
                for each in waiting:
                    self._space.forget(each)
                waiting, wanted = [], {}

    def _play(self, wanted: Sequence[tuple[int, Take]]) -> None:
        """Render the buses of ``wanted``, pairs of seed and take."""
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            scenes = [self._cast.soundings(seed, take.view, take.seq) for seed, take in some]
            outputs = iter(self._layers.render([part for scene in scenes for part in scene]))
            for (_, take), scene in zip(some, scenes, strict=True):
                buses = [self._desk.buses(next(outputs), {v.layer for v in each.voices}) for each in scene]
                take.play(buses[0] if len(buses) == 1 else desk.crossfaded(*buses))

    def _limited(self, takes: Sequence[Take]) -> NDArray[np.float32]:
        mixes = [self._silence() if take.mix is None else take.mix for take in takes[-_MIXES:]]
        return limiter.limit([*[self._silence()] * (_MIXES - len(mixes)), *mixes], self._audio)

    def _silence(self) -> limiter.Mix:
        return limiter.Mix(np.zeros((AUDIO_CHANNELS, self._audio.frames_per_chunk), dtype=np.float32), 0.0)

    def _finish(self, job: Job, limited: Iterator[NDArray[np.float32]]) -> bytes:
        chunk = next(limited)
        seam_frames = self._audio.sample_rate_hz * SEAM_MS // 1000
        if seam(job, self._audio) is not None:
            chunk = master.crossfade(next(limited), chunk, seam_frames)
        elif job.versions.predecessor == NO_ENTRY:  # the ring starts afresh: fade in from silence
            chunk = master.crossfade(np.zeros_like(chunk), chunk, seam_frames)
        return master.to_pcm(chunk, master.dither(job.seed, job.seq, self._audio))
