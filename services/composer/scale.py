"""Scales and diatonic counting. Pitches are MIDI numbers, pitch classes 0–11 (C = 0)."""

from collections.abc import Collection, Mapping
from typing import Final

from auralis.keys import Key, Mode

STEPS: Final[Mapping[Mode, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
}


def scale_of(key: Key, altered: Mapping[int, int] | None = None) -> tuple[int, ...]:
    """The seven pitch classes from the tonic up; ``altered`` replaces semitones above the tonic by others.

    >>> scale_of(Key(0, "major"), {11: 10})
    (0, 2, 4, 5, 7, 9, 10)
    """
    replaced = altered or {}
    return tuple((key.tonic + replaced.get(step, step)) % 12 for step in STEPS[key.mode])


def diatonic_number(pitch: int, scale: tuple[int, ...]) -> int:
    """Count scale steps, seven per octave; a tone between two steps takes the lower one's number."""
    octave, above = divmod(pitch - scale[0], 12)
    return 7 * octave + sum((tone - scale[0]) % 12 <= above for tone in scale) - 1


def pitches_of(classes: Collection[int], lowest: int, highest: int) -> tuple[int, ...]:
    """Every pitch in ``[lowest, highest]`` whose class is one of ``classes``, ascending."""
    return tuple(pitch for pitch in range(lowest, highest + 1) if pitch % 12 in classes)
