"""The tables of the order-2 chain: how often each chord follows another, by mode.

Rows and columns are the degrees of :data:`services.composer.chords.DEGREES` in their order; the last four of
each mode are borrowed. A chain over all of them wanders, as statistics pooled over many songs do (2.5 bits
per chord, against 1.4 within one song), so each section keeps to one palette.
"""

from collections.abc import Mapping
from typing import Final

from auralis.keys import Mode

FOLLOWS: Final[Mapping[Mode, Mapping[str, tuple[int, ...]]]] = {
    "major": {
        "I": (0, 12, 10, 27, 10, 20, 4, 4, 4, 9),
        "ii": (24, 0, 10, 20, 16, 18, 0, 4, 1, 7),
        "iii": (10, 10, 0, 35, 6, 35, 0, 1, 1, 2),
        "IV": (34, 14, 10, 0, 14, 16, 2, 8, 0, 2),
        "V": (26, 8, 6, 28, 0, 28, 1, 1, 1, 1),
        "vi": (18, 16, 12, 33, 12, 0, 3, 2, 2, 2),
        "II": (40, 4, 8, 14, 14, 18, 0, 2, 0, 0),
        "iv": (60, 6, 2, 8, 2, 4, 0, 0, 4, 14),
        "bVI": (28, 4, 0, 8, 2, 4, 0, 12, 0, 42),
        "bVII": (44, 8, 2, 26, 4, 8, 0, 4, 4, 0),
    },
    "minor": {
        "i": (0, 14, 18, 10, 24, 16, 9, 4, 3, 2),
        "III": (18, 0, 14, 6, 31, 20, 8, 2, 1, 0),
        "iv": (34, 12, 0, 12, 14, 19, 0, 2, 3, 4),
        "v": (26, 8, 18, 0, 28, 10, 8, 0, 2, 0),
        "VI": (24, 18, 14, 10, 0, 25, 4, 2, 3, 0),
        "VII": (30, 14, 12, 8, 26, 0, 8, 0, 2, 0),
        "IV": (46, 10, 4, 10, 8, 16, 0, 6, 0, 0),
        "ii": (40, 8, 0, 16, 6, 12, 18, 0, 0, 0),
        "bII": (62, 4, 10, 6, 10, 8, 0, 0, 0, 0),
        "I": (30, 4, 40, 4, 8, 10, 4, 0, 0, 0),
    },
}

# How a chord's share grows (or shrinks) with intensity; hundredths, in an exponent.
TENSION: Final[Mapping[Mode, tuple[int, ...]]] = {
    "major": (-100, 0, 0, -30, 80, -20, 60, 50, 70, 40),
    "minor": (-100, -20, 0, 40, -10, 30, 40, 30, 80, 20),
}

# How a chord's share grows with mood (valence); hundredths, in an exponent.
MOOD: Final[Mapping[Mode, tuple[int, ...]]] = {
    "major": (20, 0, 10, 30, 40, -20, 100, -80, -100, -40),
    "minor": (-20, 60, -30, 0, 10, 30, 80, 50, -100, 100),
}

# Palette → (weight, how it grows with mood (tenths, in an exponent), its chords).
PALETTES: Final[Mapping[Mode, Mapping[str, tuple[int, int, tuple[str, ...]]]]] = {
    "major": {
        "plain": (30, 0, ("I", "IV", "vi", "ii", "V")),
        "mediant": (25, -1, ("I", "iii", "IV", "vi", "V")),
        "open": (20, 4, ("I", "IV", "ii", "V", "iii")),
        "mixolydian": (12, -2, ("I", "bVII", "IV", "ii", "vi")),
        "lydian": (8, 12, ("I", "II", "vi", "iii", "IV")),
        "shadow": (6, -14, ("I", "iv", "IV", "vi", "bVI")),
    },
    "minor": {
        "aeolian": (30, 0, ("i", "VI", "VII", "iv", "III")),
        "mediant": (25, 5, ("i", "III", "VI", "v", "VII")),
        "still": (20, -4, ("i", "iv", "v", "VI", "III")),
        "dorian": (12, 9, ("i", "IV", "ii", "VII", "III")),
        "phrygian": (5, -14, ("i", "bII", "VI", "iv", "III")),
    },
}

# After (a, b) these chords are more or less likely than after b alone; percent.
DECEPTIVE: Final[Mapping[Mode, tuple[frozenset[str], str, Mapping[str, int]]]] = {
    "major": (frozenset({"IV", "ii"}), "V", {"I": 70, "vi": 140}),
    "minor": (frozenset({"iv", "VI"}), "VII", {"i": 75, "III": 140}),
}

# The chords that a phrase favours just before its last one, and those on which an open phrase ends.
PENULTIMATE: Final[Mapping[Mode, frozenset[str]]] = {
    "major": frozenset({"IV", "ii", "iv", "bVII", "V"}),
    "minor": frozenset({"iv", "IV", "ii", "VII", "v"}),
}
OPEN_ENDS: Final[Mapping[Mode, frozenset[str]]] = {
    "major": frozenset({"IV", "vi", "V"}),
    "minor": frozenset({"iv", "VI", "v"}),
}

# Borrowed chords that belong together; any other pair of them would blur the key.
BORROWED_PAIRS: Final = frozenset(
    {("bVI", "bVII"), ("bVII", "bVI"), ("iv", "bVII"), ("bVI", "iv"), ("IV", "ii"), ("ii", "IV")}
)
