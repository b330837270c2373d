"""Phrases that show a patch at its best: a few notes for each family, in the middle of the patch's range."""

from collections.abc import Mapping
from typing import Final

from services.offline.notes import Chord
from services.synth.patches.schema import Family, Patch

# Semitones from the middle of the range; each inner tuple sounds together.
_PHRASES: Final[Mapping[Family, tuple[tuple[int, ...], ...]]] = {
    "pad": ((-8, -1, 4, 8), (-10, -3, 2, 6)),
    "bass": ((0,), (-5,)),
    "lead": ((0,), (3,), (7,), (5,)),
    "keys": ((-5,), (0,), (4,), (7,), (2,), (-8, -1, 4)),
    "bells": ((0,), (7,), (3,)),
    "texture": ((0,),),
    "percussion": ((0,), (0,), (0,), (0,)),
}
# How long a note is held unless its patch needs longer.
_HELD_S: Final[Mapping[Family, float]] = {
    "pad": 6.0,
    "bass": 5.0,
    "lead": 1.5,
    "keys": 0.8,
    "bells": 2.5,
    "texture": 12.0,
    "percussion": 1.0,
}
_ATTACKS: Final = 1.5


def phrase(patch: Patch) -> tuple[Chord, ...]:
    """The phrase of the patch's family, as MIDI pitches."""
    middle = (patch.low + patch.high) // 2
    return tuple(tuple(float(middle + step) for step in chord) for chord in _PHRASES[patch.family])


def held_s(patch: Patch) -> float:
    """Seconds from one chord to the next: long enough for the patch's attack."""
    return max(_HELD_S[patch.family], _ATTACKS * patch.envelope.attack_s)
