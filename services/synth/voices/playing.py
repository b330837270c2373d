"""A note as its patch plays it, with a random generator of its own."""

from typing import Final, NamedTuple

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.synth.patches.schema import Patch

MIDDLE_C_HZ: Final = 261.63


class Playing(NamedTuple):
    """What a voice is built from; ``draw`` depends on the channel's seed, the note and the part alone."""

    note: Note
    patch: Patch
    seed: int
    draw: np.random.Generator
    audio: AudioFormat

    @property
    def f0_hz(self) -> float:
        """The fundamental: equal temperament, A4 = 440 Hz = MIDI 69, unless the patch fixes a frequency."""
        return self.patch.fixed_hz or float(440.0 * 2 ** ((self.note.pitch - 69) / 12))

    @property
    def octaves(self) -> float:
        """Octaves above middle C."""
        return float(np.log2(self.f0_hz / MIDDLE_C_HZ))

    @property
    def level(self) -> float:
        """The patch's gain for this pitch and velocity."""
        db = self.patch.level_db + self.patch.trim_db + self.patch.keytrack_db * self.octaves
        return float(10 ** (db / 20) * self.note.velocity**self.patch.velocity_exponent)

    @property
    def gate_s(self) -> float:
        """How long the gate is open."""
        return self.audio.seconds(self.note.duration_frames)
