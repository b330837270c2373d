"""Everything the composer needs to go on: the state of the engine at the start of a beat."""

from typing import Final

import msgspec

from auralis.controls import Controls
from services.composer.answer import Answer
from services.composer.chords import Harmony
from services.composer.form import Form
from services.composer.harmony import Progression
from services.composer.marks import Said
from services.composer.melody import Melody
from services.composer.memory import Memory
from services.composer.scene import Scene
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT, Tempo


class Held(msgspec.Struct, frozen=True, array_like=True):
    """The note that a sustained voice plays, and the frame at which its gate closes."""

    pitch: int
    until_frame: int


SILENT: Final = Held(pitch=0, until_frame=0)


class EngineState(msgspec.Struct, frozen=True, array_like=True):
    """The piece at the start of beat ``beat``, frame ``frame``.

    ``origin`` is the frame where the piece began; ``next_note`` the id of the next note. ``intensity`` is
    the last one announced, ``keyframe`` where all marks were last repeated (``None``: not yet). ``goal`` is
    the key asked for; while the chord is in another key, ``way`` holds the chords that lead there and
    ``upcoming`` is the first of them. ``voicing`` and ``following`` are the pitches of ``chord`` and
    ``upcoming`` from the bass up; ``chord_ends`` is a beat. ``held`` are the notes of the bass, the pad's
    voices, the drone's fifth and the choir's singers. ``bars`` are the coming chords' lengths where fixed;
    ``memory`` is what past sections left behind, ``said`` what the synth was last told.
    """

    seed: int
    origin: int
    frame: int
    beat: int
    next_note: int
    intensity: float | None
    keyframe: int | None
    tempo: Tempo
    form: Form
    goal: str
    way: tuple[Harmony, ...]
    progression: Progression
    chord: Harmony
    voicing: tuple[int, ...]
    chord_ends: int
    upcoming: Harmony
    following: tuple[int, ...]
    held: tuple[Held, ...]
    melody: Melody
    answer: Answer = Answer()
    memory: Memory = Memory()
    bars: tuple[int, ...] = ()
    said: Said = Said()

    @property
    def on_bar(self) -> bool:
        """Whether the beat is the first of its bar."""
        return self.beat % BEATS_A_BAR == 0

    @property
    def tick(self) -> int:
        """The start of the beat, in ticks since the piece began."""
        return self.beat * TICKS_A_BEAT

    @property
    def next_bar(self) -> int:
        """This beat if it begins a bar, else the next one that does."""
        return -(-self.beat // BEATS_A_BAR) * BEATS_A_BAR

    def scene(self, controls: Controls, sample_rate_hz: int) -> Scene:
        """What the layers base their decisions on, the controls in thousandths."""
        second = (self.frame - self.origin) // sample_rate_hz
        level, mood = (round(share * 1000) for share in (controls.intensity, controls.mood))
        return Scene(self.seed, level, self.form, second, mood)
