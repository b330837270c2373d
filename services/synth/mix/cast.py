"""The cast: which voices sound in a chunk, built once for as long as they are needed."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from auralis.score.score import ScoreView
from services.synth import automation, quality
from services.synth.mix import desk
from services.synth.mix.recent import Recent
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Patch
from services.synth.quality import Step
from services.synth.voices.build import parts_of, voice_of
from services.synth.voices.thinning import thinned
from services.synth.voices.voice import Voice


class _Role(NamedTuple):
    """What a voice is a function of."""

    seed: int
    note: Note
    part: int
    step: Step


class Cast:
    """Turns notes into voices; ``skipped`` counts the notes that can't be played by the reason why."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._patches = library()
        # None: nothing to be heard.
        self._voices = Recent[_Role, Voice | None]()
        self.skipped = Counter[str]()

    def soundings(self, seed: int, view: ScoreView, seq: int) -> list[Sounding]:
        """What sounds in chunk ``seq`` as ``view`` has it.

        Where the quality has changed since the chunk before: at the old step, and at the new one.
        """
        start, end = self._audio.start_frame(seq), self._audio.end_frame(seq)
        notes = view.notes(start - self._audio.frames(longest_release_s()), end)
        intensity = automation.curve(
            view.automation("intensity"), np.array([start, end]), automation.NEUTRAL_INTENSITY
        )
        brightness = automation.brightness(intensity)
        before = max(0, start - self._audio.frames_per_chunk)
        steps = dict.fromkeys(quality.steps_at(view.automation("quality"), (before, start)))
        return [
            Sounding(seed, start, self._sounding(seed, notes, step, start), brightness, intensity)
            for step in steps
        ]

    def next_batch(self) -> None:
        """Drop the voices that no batch has needed lately."""
        self._voices.next_batch()

    def _sounding(self, seed: int, notes: Sequence[Note], step: Step, start: int) -> list[Voice]:
        end = start + self._audio.frames_per_chunk
        voices = (self._voice(role) for note in notes for role in self._roles(seed, note, step, start))
        return [v for v in voices if v is not None and v.timing.silent > start and v.timing.at < end]

    def _roles(self, seed: int, note: Note, step: Step, start: int) -> Iterator[_Role]:
        patch = self._patches.get(note.patch)
        if patch is None:
            yield _Role(seed, note, 0, step)
        elif step == quality.WHOLE or _level_db(note, patch) >= step.note_db:
            end = start + self._audio.frames_per_chunk
            for part in parts_of(note, patch, self._audio, start, end):
                yield _Role(seed, note, part, step)

    def _voice(self, role: _Role) -> Voice | None:
        voice = self._voices.get(role) if role in self._voices else self._built(role)
        return self._voices.keep(role, voice)

    def _built(self, role: _Role) -> Voice | None:
        """The voice, whatever the note; one that can't be played is passed over."""
        seed, note, part, step = role
        patch = self._patches.get(note.patch)
        if patch is None:
            self.skipped[f"no patch {note.patch!r:.40}"] += 1
            return None
        try:
            voice = voice_of(note, patch, seed, self._audio, part)
        except Exception as error:  # noqa: BLE001  no event of the score may end a worker
            self.skipped[f"patch {note.patch!r}: {error!r:.200}"] += 1
            return None
        if not voice.finite:
            self.skipped[f"patch {note.patch!r}: not a finite number"] += 1
            return None
        return thinned(voice, step.partial_db) if step.partial_db > -math.inf else voice


def _level_db(note: Note, patch: Patch) -> float:
    """How loud a note is beside others: its layer's level on the desk, its velocity as its patch takes it."""
    strip = desk.STRIPS[note.layer]
    return strip.level_db + 20 * patch.velocity_exponent * math.log10(max(note.velocity, 1e-6))


@cache
def longest_release_s() -> float:
    """How long a note can be heard after its gate has closed, whatever its patch."""
    return max(map(_release_s, library().values()))


def _release_s(patch: Patch) -> float:
    struck = [(noise.delay_s + noise.attack_s, time) for noise in patch.noises for time in noise.t60_s]
    struck += [(0.0, mode.t60_s) for mode in patch.body]
    struck += [(0.0, 2 * patch.grains.t60_s[1])] if patch.grains else []
    return max([patch.envelope.release_s, *(begun + 1.5 * t60 for begun, t60 in struck)]) + 1.0
