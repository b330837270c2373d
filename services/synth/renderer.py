"""The renderer: audio as a pure function of score and chunk number, batched over channels.

What it keeps between calls are voices already built, a cache of a pure function: any renderer gives the same
bytes for the same job, whatever it rendered before and whatever else is in the batch.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Note
from auralis.score.score import Score, ScoreView
from auralis.timing import SEAM_MS
from services.synth import automation, mixer
from services.synth.dsp import master
from services.synth.dsp.grid import Grid
from services.synth.patch import PATCHES
from services.synth.voice import Voice, build_voice

LONGEST_RELEASE_S: Final = max(patch.release_s for patch in PATCHES.values())
# A voice is kept as long as one of the last batches needed it: several seconds of every channel's turns.
_KEPT_BATCHES: Final = 100


class Job(NamedTuple):
    """One chunk of one channel, rendered from ``versions`` of ``score``."""

    seed: int
    score: Score
    seq: int
    versions: Versions


class _Part(NamedTuple):
    """One view of one chunk; a chunk with a seam needs two of them."""

    seed: int
    view: ScoreView
    seq: int


def seam(job: Job, audio: AudioFormat) -> EntryId | None:
    """The score that a chunk has to come from, if that of its predecessor is not its own.

    That is so where the predecessor was not rendered from what the chunk's own score makes of it.
    """
    predecessor = job.versions.predecessor
    if predecessor == NO_ENTRY:
        return None
    expected = job.score.version_for(audio.start_frame(job.seq), newest=job.versions.own)
    return None if predecessor == expected else predecessor


class Renderer:
    """Renders on one device, with one intra-op thread: results must not depend on how work is split."""

    def __init__(self, audio: AudioFormat, device: torch.device | None = None) -> None:
        torch.set_num_threads(1)
        self._audio = audio
        self._grid = Grid(audio)
        self._device = device or torch.device("cpu")
        # The least recently used first, each with the batch that last needed it.
        self._voices: OrderedDict[tuple[int, Note], tuple[Voice, int]] = OrderedDict()
        self._batch = 0

    def render(self, jobs: Sequence[Job]) -> list[bytes]:
        """The PCM of each job: 16-bit little-endian interleaved stereo."""
        self._batch += 1
        parts = [part for job in jobs for part in self._parts(job)]
        mixed = mixer.mix([self._sounding(part) for part in parts], self._grid, self._device)
        samples = iter(np.asarray(master.saturate(mixed).cpu().numpy()))
        self._forget_unused()
        return [self._finish(job, samples) for job in jobs]

    def _parts(self, job: Job) -> list[_Part]:
        old = seam(job, self._audio)
        versions = [job.versions.own] if old is None else [job.versions.own, old]
        return [_Part(job.seed, job.score.view(version), job.seq) for version in versions]

    def _finish(self, job: Job, samples: Iterator[NDArray[np.float32]]) -> bytes:
        chunk = next(samples)
        seam_frames = self._audio.sample_rate_hz * SEAM_MS // 1000
        if seam(job, self._audio) is not None:
            chunk = master.crossfade(next(samples), chunk, seam_frames)
        elif job.versions.predecessor == NO_ENTRY:  # the ring begins anew: out of silence
            chunk = master.crossfade(np.zeros_like(chunk), chunk, seam_frames)
        return master.to_pcm(chunk, master.dither(job.seed, job.seq, self._audio))

    def _sounding(self, part: _Part) -> mixer.Sounding:
        start, end = self._audio.start_frame(part.seq), self._audio.end_frame(part.seq)
        notes = part.view.notes(start - self._audio.frames(LONGEST_RELEASE_S), end)
        voices = [self._voice(part.seed, note) for note in notes if note.patch in PATCHES]
        borders = start + np.arange(self._grid.blocks + 1) * self._grid.block
        intensity = automation.curve(part.view.automation("intensity"), borders, automation.NEUTRAL_INTENSITY)
        return mixer.Sounding(
            start_frame=start,
            voices=[voice for voice in voices if voice.silent_frame > start],
            brightness=automation.brightness(intensity),
        )

    def _voice(self, seed: int, note: Note) -> Voice:
        key = (seed, note)
        cached = self._voices.pop(key, None)
        voice = cached[0] if cached else build_voice(note, PATCHES[note.patch], seed, self._grid)
        self._voices[key] = (voice, self._batch)
        return voice

    def _forget_unused(self) -> None:
        while self._voices:
            key, (_, batch) = next(iter(self._voices.items()))
            if batch > self._batch - _KEPT_BATCHES:
                return
            del self._voices[key]
