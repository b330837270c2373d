"""The cast: the voices that sound in each chunk, built once and kept while they are needed."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from auralis.score.score import ScoreView
from services.synth import automation, quality
from services.synth.dsp.arrays import Float64Array
from services.synth.mix import desk
from services.synth.mix.recent import Recent
from services.synth.mix.sounding import UNITY_GAINS, Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Patch
from services.synth.quality import Step
from services.synth.voices.build import parts_of, voice_of
from services.synth.voices.thinning import thinned
from services.synth.voices.voice import Voice

# Partials under this level are left out: where music of -18 LUFS is played at 70 dB SPL, they would be under
# the threshold of hearing even in silence.
INAUDIBLE_DBFS: Final = -90.0
_SOON_CHUNKS: Final = 20
# A voice that has been silent for this long will not be rendered again after a revision.
_REST_S: Final = 2.5
# Voices are marked as needed once in this many rounds: marking one takes longer than finding it.
_TOUCHED_ROUNDS: Final = 8
# For each _BUILDING channels one voice is built ahead at a time; up to two where voices are needed within
# _URGENT_CHUNKS.
_BUILDING: Final = 4
_URGENT_CHUNKS: Final = 5
_LEVELS: Final = tuple(f"level_{name}" for name in desk.LAYERS)

Curve = Float64Array


class _Role(NamedTuple):
    """Everything that a voice depends on."""

    seed: int
    note: Note
    part: int
    step: Step

    @property
    def key(self) -> tuple[int, int, int, float]:
        """Found faster than the role itself; a revised score may give the note's id to another note."""
        return self.seed, self.note.id, self.part, self.step.value


class Turn(NamedTuple):
    """A chunk of a channel, and the score as far as it has been written."""

    seed: int
    view: ScoreView
    seq: int


_Key = tuple[int, int, int, float] | _Role
_Kept = tuple[Note, Voice | None]
_Found = tuple[_Key, _Kept]


@dataclass(slots=True, eq=False)
class _CurrentNotes:
    """The notes of a channel's last chunk, the one that begins at ``start``, and the voices found for each.

    A note has new grains in every second, so notes of ``grainy`` patches are only listed. Of the others'
    voices, ``awake`` ones have not been silent for long, and ``sounding`` ones sound in every chunk that
    begins from ``start`` on and before ``until``; ``used`` is the round in which the voices were last marked
    as needed.
    """

    notes: list[Note]
    grainy: list[Note]
    found: dict[int, list[_Found]]
    awake: list[Voice]
    used: int
    sounding: list[Voice] = field(default_factory=list)
    start: int = 0
    until: float = -math.inf

    def look(self, start: int, rest: int) -> None:
        """Find what sounds in the chunk at ``start``; voices silent for ``rest`` frames drop their tables."""
        for voice in [each for each in self.awake if each.timing.silent < start - rest]:
            voice.rest()
            self.awake.remove(voice)
        self.sounding = [each for each in self.awake if each.gone > start]
        gone = (each.gone for each in self.sounding)
        rested = (each.timing.silent + rest + 1 for each in self.awake)
        self.until = min((*gone, *rested), default=math.inf)


class Cast:
    """Turns notes into voices; ``skipped`` counts, by reason, the notes that can't be played."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._patches = library()
        self._rest_frames = audio.frames(_REST_S)
        self._grainy = {name for name, patch in self._patches.items() if patch.grains is not None}
        # Each with the note that it plays; None for a note that can't be played.
        self._voices = Recent[_Key, _Kept]()
        self._last = Recent[tuple[int, Step], _CurrentNotes]()
        self._round = 0
        self.skipped = Counter[str]()

    def soundings(self, seed: int, view: ScoreView, seq: int) -> list[Sounding]:
        """What sounds in chunk ``seq`` as ``view`` has it.

        Where the quality has changed since the chunk before, two soundings: the old quality step and the new
        one, to be crossfaded.
        """
        start, end = self._audio.start_frame(seq), self._audio.end_frame(seq)
        notes = view.notes(start - self._audio.frames(longest_release_s()), end)
        intensity, brightness = self._intensity(view, start, end)
        gains = _gains(view, start, end)
        before = max(0, start - self._audio.frames_per_chunk)
        steps = dict.fromkeys(quality.steps_at(view.automation("quality"), (before, start)))
        if gains is not UNITY_GAINS:
            heard = {name for name, gain in zip(desk.LAYERS, gains.max(axis=0), strict=True) if gain}
            notes = [note for note in notes if note.layer in heard]
        return [
            Sounding(seed, start, self._sounding(seed, notes, step, start), brightness, intensity, gains)
            for step in steps
        ]

    def build_ahead(self, turns: Sequence[Turn]) -> None:
        """Build some of the voices that begin soon after ``turns``: no chunk then waits for a whole chord."""
        coming = [
            (found.note.at_frame - self._audio.start_frame(turn.seq), turn, found)
            for turn in turns
            if (found := self._next(turn))
        ]
        coming.sort(key=itemgetter(0))
        at_once = math.ceil(len(turns) / _BUILDING)
        urgent = sum(frames < _URGENT_CHUNKS * self._audio.frames_per_chunk for frames, _, _ in coming)
        for _, turn, role in coming[: max(at_once, min(urgent, 2 * at_once))]:
            _, (_, voice) = self._voice(role)
            if voice is not None:
                first = self._audio.start_frame(self._audio.seq_at(role.note.at_frame))
                brightness = self._intensity(turn.view, *self._soon(turn))[1]
                voice.stage(first, float(max(brightness)))

    def _soon(self, turn: Turn) -> tuple[int, int]:
        return self._audio.start_frame(turn.seq), self._audio.end_frame(turn.seq + _SOON_CHUNKS)

    def _next(self, turn: Turn) -> _Role | None:
        """The next voice that begins soon after a chunk and has not been built yet."""
        start, end = self._soon(turn)
        (step,) = quality.steps_at(turn.view.automation("quality"), (start,))
        notes = turn.view.onsets(start + 1, end)
        roles = (role for note in notes for role in self._roles(turn.seed, note, step, note.at_frame))
        return next((role for role in roles if role.key not in self._voices), None)

    @staticmethod
    def _intensity(view: ScoreView, *frames: int) -> tuple[Curve, Curve]:
        """Intensity and brightness at ``frames``."""
        ramps = view.automation("intensity")
        intensity = automation.curve(ramps, frames, automation.NEUTRAL_INTENSITY)
        asked = automation.curve(view.automation("brightness"), frames, automation.NEUTRAL_BRIGHTNESS)
        return intensity, automation.brightness(intensity, asked)

    def next_round(self) -> None:
        """Begin a round: drop the voices that no channel has needed lately."""
        self._round += 1
        self._voices.next_round()
        self._last.next_round()

    def _sounding(self, seed: int, notes: list[Note], step: Step, start: int) -> list[Voice]:
        current = self._current_notes(seed, notes, step, start)
        if start >= current.until:
            current.look(start, self._rest_frames)
        current.start = start
        if not current.grainy:
            return current.sounding
        grains = _voices(self._voiced(seed, note, step, start) for note in current.grainy)
        return [*current.sounding, *(each for each in grains if each.gone > start)]

    def _current_notes(self, seed: int, notes: list[Note], step: Step, start: int) -> _CurrentNotes:
        """The notes of the chunk at ``start``; what was found for the chunk before is used again."""
        last = self._last.get((seed, step)) or _CurrentNotes([], [], {}, [], self._round)
        if last.notes != notes or start < last.start:
            grainy = [note for note in notes if note.patch in self._grainy]
            found = {
                id(note): last.found.get(id(note)) or self._voiced(seed, note, step, start)
                for note in notes
                if note.patch not in self._grainy
            }
            last = _CurrentNotes(notes, grainy, found, _voices(found.values()), last.used)
        if last.used < self._round - _TOUCHED_ROUNDS:
            for key, kept in (each for some in last.found.values() for each in some):
                self._voices.keep(key, kept)
            last.used = self._round
        return self._last.keep((seed, step), last)

    def _voiced(self, seed: int, note: Note, step: Step, start: int) -> list[_Found]:
        return [self._voice(role) for role in self._roles(seed, note, step, start)]

    def _roles(self, seed: int, note: Note, step: Step, start: int) -> Iterator[_Role]:
        patch = self._patches.get(note.patch)
        if patch is None:
            yield _Role(seed, note, 0, step)
        elif step == quality.WHOLE or _level_db(note, patch) >= step.note_db:
            end = start + self._audio.frames_per_chunk
            for part in parts_of(note, patch, self._audio, start, end):
                yield _Role(seed, note, part, step)

    def _voice(self, role: _Role) -> _Found:
        key: _Key = role.key
        kept = self._voices.get(key)
        if kept is not None and kept[0] is not role.note and kept[0] != role.note:
            key, kept = role, self._voices.get(role)
        return key, self._voices.keep(key, kept or (role.note, self._built(role)))

    def _built(self, role: _Role) -> Voice | None:
        """The voice of a role, whatever the note; None for a note that can't be played."""
        seed, note, part, step = role
        patch = self._patches.get(note.patch)
        if patch is None:
            self.skipped[f"no patch {note.patch!r:.40}"] += 1
            return None
        if not _in_range(note):
            self.skipped[f"patch {note.patch!r}: pitch, velocity or pan out of range"] += 1
            return None
        try:
            with np.errstate(invalid="ignore"):  # values that are not finite are found below
                voice = voice_of(note, patch, seed, self._audio, part, floor_db(note))
        except Exception as error:  # noqa: BLE001  no event in the score may end a worker
            self.skipped[f"patch {note.patch!r}: {error!r:.200}"] += 1
            return None
        if not voice.finite:
            self.skipped[f"patch {note.patch!r}: not a finite number"] += 1
            return None
        return thinned(voice, step.partial_db) if step.partial_db > -math.inf else voice


def _voices(found: Iterable[list[_Found]]) -> list[Voice]:
    return [voice for some in found for _, (_, voice) in some if voice is not None]


def _gains(view: ScoreView, start: int, end: int) -> Curve:
    """The gain of each layer at a chunk's ends: ``[end, layer]``."""
    levels = [view.automation(name) for name in _LEVELS]
    if not any(levels):
        return UNITY_GAINS
    curves = [automation.curve(ramps, (start, end), 1.0) for ramps in levels]
    return automation.level_gain(np.stack(curves, axis=1))


def _in_range(note: Note) -> bool:
    """Whether a note has values that the log lets through; of others, squared levels might not be finite."""
    return 0 <= note.pitch <= 127 and 0 <= note.velocity <= 1 and -1 <= note.pan <= 1


def floor_db(note: Note) -> float:
    """The level, dB of full scale before the desk, under which a partial of ``note`` is inaudible."""
    return INAUDIBLE_DBFS - desk.MASTER_DB - desk.STRIPS[note.layer].level_db


def _level_db(note: Note, patch: Patch) -> float:
    """How loud a note is relative to others: its layer's level on the desk, its velocity in its patch."""
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
