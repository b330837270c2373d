"""Everything the composer needs to go on: the state of the engine at the start of a beat."""

from typing import Final

import msgspec

from services.composer.chords import Harmony
from services.composer.form import Form, Scene
from services.composer.harmony import Progression
from services.composer.melody import Melody
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT, Tempo


class Held(msgspec.Struct, frozen=True, array_like=True):
    """The note that a sustained voice plays, and the frame at which its gate closes."""

    pitch: int
    until_frame: int


SILENT: Final = Held(pitch=0, until_frame=0)


class EngineState(msgspec.Struct, frozen=True, array_like=True):
    """The piece at the start of beat ``beat``, frame ``frame``.

    ``origin`` is the frame where the piece began; ``next_note`` the id of the next note. ``intensity`` and
    ``keyframe`` are what was last announced and where (``None``: nothing yet). ``goal`` is the key asked for;
    while the chord's key is another one, ``way`` holds the chords that lead there, ``upcoming`` the first of
    them. ``voicing`` and ``following`` are the pitches of ``chord`` and ``upcoming`` from the bass up;
    ``chord_ends`` is a beat.
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

    @property
    def on_bar(self) -> bool:
        """Whether the beat is the first of its bar."""
        return self.beat % BEATS_A_BAR == 0

    @property
    def tick(self) -> int:
        """The beat in ticks since the piece began."""
        return self.beat * TICKS_A_BEAT

    @property
    def next_bar(self) -> int:
        """This beat if it begins a bar, else the next one that does."""
        return -(-self.beat // BEATS_A_BAR) * BEATS_A_BAR

    def scene(self, intensity: float) -> Scene:
        """What the layers decide by."""
        return Scene(self.seed, round(intensity * 1000), self.form)
