"""The way from one key to another: through a chord that both share, or two chords that differ by semitones.

All 24 × 24 pairs of keys reduce to the distance of their signatures on the circle of fifths. Up to two fifths
apart, keys share a pivot chord; farther apart, a gateway connects them: a chord of the old key whose third
and seventh move by a semitone into a chord of the new one, while root and fifth stay. Six fifths apart, the
whole chord moves down a semitone.
"""

from collections.abc import Mapping
from typing import Final

from auralis.keys import Key, Mode
from services.composer.chance import Chance
from services.composer.chords import TONIC, Harmony
from services.composer.scale import scale_of

# Distance in fifths → the ways, each as (semitones above the old key's relative major, quality).
_WAYS: Final[Mapping[int, tuple[tuple[tuple[int, str], ...], ...]]] = {
    0: (((2, "m7"),), ((5, "maj7"),), ((4, "m7"),)),
    1: (((9, "m7"),), ((4, "m7"),), ((0, "maj7"),)),
    -1: (((2, "m7"),), ((9, "m7"),), ((5, "maj7"),)),
    2: (((4, "m7"),), ((7, "add9"),)),
    -2: (((2, "m7"),), ((5, "add9"),)),
    3: (((2, "m7"), (2, "maj7")),),
    -3: (((0, "maj7"), (0, "m7")),),
    4: (((9, "m7"), (9, "maj7")),),
    -4: (((5, "maj7"), (5, "m7")),),
    5: (((4, "m7"), (4, "maj7")),),
    -5: (((5, "maj7"), (5, "m7")),),
    # Two hops of three fifths would be smoother, but pass through a key that is neither of the two.
    6: (((0, "maj7"), (11, "maj7")),),
}
_DIATONIC: Final[Mapping[Mode, Mapping[int, str]]] = {
    "major": {0: "I", 2: "ii", 4: "iii", 5: "IV", 7: "V", 9: "vi"},
    "minor": {0: "i", 3: "III", 5: "iv", 7: "v", 8: "VI", 10: "VII"},
}


def fifths_between(old: Key, new: Key) -> int:
    """How many fifths the signature moves, −5 to 6."""
    steps = 7 * (new.signature - old.signature) % 12
    return steps - 12 if steps > 6 else steps


def way_between(old: Key, new: Key, chance: Chance, index: int) -> tuple[Harmony, ...]:
    """One or two chords that lead from ``old`` to ``new``; the last one belongs to ``new``."""
    ways = _WAYS[fifths_between(old, new)]
    fitting = [
        way for way in ways if diatonic_degree(new, (old.signature + way[-1][0]) % 12) != TONIC[new.mode]
    ]
    way = (fitting or ways)[chance.below(len(fitting or ways), index)]
    *first, last = [((old.signature + above) % 12, quality) for above, quality in way]
    if first:
        return _step(old, old, *first[0]), _step(new, new, *last)
    return (_step(old, new, *last),)


def diatonic_degree(key: Key, root: int) -> str:
    """The degree of ``key`` whose chord has the pitch class ``root`` as its root."""
    return _DIATONIC[key.mode][(root - key.tonic) % 12]


def _step(key: Key, goal: Key, root: int, quality: str) -> Harmony:
    names = [diatonic_degree(key, root)]
    if goal != key:
        names.append(diatonic_degree(goal, root))
    return Harmony(str(key), "=".join(names), quality, root, root, scale_of(key))
