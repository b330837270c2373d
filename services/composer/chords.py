"""Chords: their qualities, the degrees of each mode, and the pitch content that follows.

The qualities, and the degrees that take them, are typical of ambient music: added seconds, sixths, sevenths,
suspensions and fourths; no dominant seventh.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from auralis.keys import Key, Mode, parse_key
from services.composer.scale import scale_of

QUALITIES: Final[Mapping[str, tuple[int, ...]]] = {
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "add9": (0, 2, 4, 7),
    "madd9": (0, 2, 3, 7),
    "6/9": (0, 2, 4, 7, 9),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 2, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m9": (0, 2, 3, 7, 10),
    "m11": (0, 3, 5, 7, 10),
    "quartal": (0, 5, 10),
    "9sus4": (0, 2, 5, 7, 10),
    "lydian": (0, 4, 6, 7, 11),
    "m6": (0, 3, 7, 9),
}


@dataclass(frozen=True, slots=True)
class Degree:
    """A chord of a mode.

    ``root`` is in semitones above the tonic, ``qualities`` are weighted, ``altered`` maps the tones of the
    mode's scale that the chord replaces to their replacements, ``bass`` is the bass tone if not the root.
    """

    root: int
    qualities: Mapping[str, int]
    altered: Mapping[int, int] = field(default_factory=dict)
    bass: int | None = None

    @property
    def borrowed(self) -> bool:
        """Whether the chord brings in a tone from outside the mode."""
        return bool(self.altered)


# In the order of the rows and columns of the transition tables.
DEGREES: Final[Mapping[Mode, Mapping[str, Degree]]] = {
    "major": {
        "I": Degree(0, {"add9": 3, "maj7": 2, "maj9": 2, "6/9": 1, "sus2": 1}),
        "ii": Degree(2, {"m7": 3, "m9": 2, "m11": 1}),
        "iii": Degree(4, {"m7": 3, "quartal": 1}),
        "IV": Degree(5, {"maj7": 6, "add9": 4, "maj9": 4, "lydian": 1}),
        "V": Degree(7, {"9sus4": 4, "sus4": 2, "add9": 1}),
        "vi": Degree(9, {"m7": 3, "m9": 2, "m11": 1}),
        "II": Degree(2, {"add9": 1}, {5: 6}, bass=0),
        "iv": Degree(5, {"m6": 3, "madd9": 1}, {9: 8}),
        "bVI": Degree(8, {"maj7": 2, "lydian": 1}, {4: 3, 9: 8}),
        "bVII": Degree(10, {"add9": 2, "6/9": 1}, {11: 10}),
    },
    "minor": {
        "i": Degree(0, {"m9": 3, "m7": 2, "madd9": 2, "m11": 1, "sus2": 1}),
        "III": Degree(3, {"add9": 2, "maj7": 2, "6/9": 1}),
        "iv": Degree(5, {"m7": 3, "m9": 2, "m11": 1}),
        "v": Degree(7, {"m7": 3, "m11": 1, "quartal": 1}),
        "VI": Degree(8, {"maj7": 6, "maj9": 4, "add9": 3, "lydian": 1}),
        "VII": Degree(10, {"add9": 3, "6/9": 1, "sus2": 1}),
        "IV": Degree(5, {"add9": 1}, {8: 9}),
        "ii": Degree(2, {"m7": 3, "m11": 1}, {8: 9}),
        "bII": Degree(1, {"maj7": 3, "lydian": 1}, {2: 1}),
        "I": Degree(0, {"add9": 1}, {3: 4}),
    },
}
TONIC: Final[Mapping[Mode, str]] = {"major": "I", "minor": "i"}


class Harmony(msgspec.Struct, frozen=True, array_like=True):
    """One chord in its key: ``root`` and ``bass`` are pitch classes, ``scale`` the seven that go with it."""

    key: str
    degree: str
    quality: str
    root: int
    bass: int
    scale: tuple[int, ...]

    @property
    def tones(self) -> tuple[int, ...]:
        """The pitch classes of the chord, root first."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality])


def harmony_of(key: Key, degree: str, quality: str, pedal: int | None = None) -> Harmony:
    """The chord on ``degree`` of ``key``; ``pedal`` (semitones above the tonic) replaces its bass."""
    spec = DEGREES[key.mode][degree]
    own_bass = spec.root if spec.bass is None else spec.bass
    return Harmony(
        key=str(key),
        degree=degree,
        quality=quality,
        root=(key.tonic + spec.root) % 12,
        bass=(key.tonic + (own_bass if pedal is None else pedal)) % 12,
        scale=scale_of(key, spec.altered),
    )


def shared_tones(harmony: Harmony, goal: str) -> frozenset[int]:
    """The pitch classes of the chord's scale that the key ``goal`` also has."""
    return frozenset(harmony.scale) & frozenset(scale_of(parse_key(goal)))
