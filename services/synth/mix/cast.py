"""The cast: which voices sound in a chunk, built once for as long as they are needed."""

from collections import OrderedDict
from functools import cache
from typing import Final

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from auralis.score.score import ScoreView
from services.synth import automation
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Patch
from services.synth.voices.build import voices_of
from services.synth.voices.voice import Voice

# Voices are kept as long as one of the last batches needed them: several seconds of every channel's turns.
_KEPT_BATCHES: Final = 100


class Cast:
    """Turns notes into voices; ``skipped`` counts the notes that no patch is there for."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._patches = library()
        # The least recently used first, each with the batch that last needed it.
        self._voices: OrderedDict[tuple[int, Note], tuple[tuple[Voice, ...], int]] = OrderedDict()
        self._batch = 0
        self.skipped = 0

    def sounding(self, seed: int, view: ScoreView, seq: int) -> Sounding:
        """What sounds in chunk ``seq`` as ``view`` has it."""
        start, end = self._audio.start_frame(seq), self._audio.end_frame(seq)
        notes = view.notes(start - self._audio.frames(longest_release_s()), end)
        voices = [voice for note in notes for voice in self._of(seed, note)]
        ramps = view.automation("intensity")
        intensity = automation.curve(ramps, np.array([start, end]), automation.NEUTRAL_INTENSITY)
        return Sounding(
            seed=seed,
            start_frame=start,
            voices=[v for v in voices if v.timing.silent > start and v.timing.at < end],
            brightness=automation.brightness(intensity),
            intensity=intensity,
        )

    def forget_unused(self) -> None:
        """Drop the voices that no batch has needed lately."""
        self._batch += 1
        while self._voices:
            key, (_, batch) = next(iter(self._voices.items()))
            if batch > self._batch - _KEPT_BATCHES:
                return
            del self._voices[key]

    def _of(self, seed: int, note: Note) -> tuple[Voice, ...]:
        key = (seed, note)
        cached = self._voices.pop(key, None)
        voices = cached[0] if cached else self._build(seed, note)
        self._voices[key] = (voices, self._batch)
        return voices

    def _build(self, seed: int, note: Note) -> tuple[Voice, ...]:
        patch = self._patches.get(note.patch)
        if patch is None:
            self.skipped += 1
            return ()
        return tuple(voices_of(note, patch, seed, self._audio))


@cache
def longest_release_s() -> float:
    """How long a note can be heard after its gate has closed, whatever its patch."""
    return max(map(_release_s, library().values()))


def _release_s(patch: Patch) -> float:
    struck = [time for noise in patch.noises for time in noise.t60_s]
    struck += [mode.t60_s for mode in patch.body]
    struck += [2 * patch.grains.t60_s[1]] if patch.grains else []
    return max([patch.envelope.release_s, *(1.5 * t60 for t60 in struck)]) + 1.0
