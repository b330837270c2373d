"""Keys, from the chords of a score: a chord's root and its degree together give the tonic.

A degree is written as in ``i``, ``bVII`` or, for a pivot that leads into a new key, ``vi=ii``: the last name
is the degree in the new key.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from auralis.keys import Key, Mode
from auralis.score.events import Chord

# Degree → semitones above the tonic. No name stands for two intervals: minor has VI, VII and III a semitone
# lower than major, but there they are major chords and so written in capitals.
_INTERVALS: Final[Mapping[str, int]] = {
    "I": 0, "i": 0, "bII": 1, "II": 2, "ii": 2, "III": 3, "iii": 4, "IV": 5, "iv": 5,
    "V": 7, "v": 7, "VI": 8, "bVI": 8, "vi": 9, "VII": 10, "bVII": 10,
}  # fmt: skip
# The degrees that occur in one mode only; I, ii, IV and iv may be borrowed from the other.
_MODES: Final[Mapping[str, Mode]] = {
    "i": "minor", "III": "minor", "v": "minor", "VI": "minor", "VII": "minor", "bII": "minor",
    "iii": "major", "V": "major", "vi": "major", "II": "major", "bVI": "major", "bVII": "major",
}  # fmt: skip


class KeyMark(NamedTuple):
    """The key from ``at_frame`` on."""

    at_frame: int
    key: Key


def keys_of(chords: Sequence[Chord], until_frame: int | None = None) -> list[KeyMark]:
    """The start of each key, from chords in order; those from ``until_frame`` on only help tell the mode."""
    marks: list[KeyMark] = []
    for index, chord in enumerate(chords):
        tonic = tonic_of(chord)
        if tonic is None or (until_frame is not None and chord.at_frame >= until_frame):
            continue
        if not marks or marks[-1].key.tonic != tonic or _denies(chord, marks[-1].key.mode):
            marks.append(KeyMark(chord.at_frame, Key(tonic, _mode(chords[index:], tonic))))
    return marks


def key_at(marks: Iterable[KeyMark], frame: int) -> Key | None:
    """The key in force at ``frame``."""
    return next((mark.key for mark in reversed(list(marks)) if mark.at_frame <= frame), None)


def tonic_of(chord: Chord) -> int | None:
    """The pitch class of the tonic that the chord's degree refers to; None if the degree is unknown."""
    interval = _INTERVALS.get(_name(chord))
    return None if interval is None else (chord.root - interval) % 12


def _name(chord: Chord) -> str:
    return chord.degree.rpartition("=")[2]


def _denies(chord: Chord, mode: Mode) -> bool:
    return _MODES.get(_name(chord), mode) != mode


def _mode(chords: Iterable[Chord], tonic: int) -> Mode:
    """The mode of the first chord on this tonic whose degree implies one; major if there is none."""
    of_key = (chord for chord in chords if tonic_of(chord) == tonic)
    return next((_MODES[_name(chord)] for chord in of_key if _name(chord) in _MODES), "major")
