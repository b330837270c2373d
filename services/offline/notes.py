"""Notes as people write them: ``C4 E4+G4 67``. C4 is middle C, MIDI note 60."""

import re
from typing import Final

from auralis.errors import InvalidValue

_ALLOWED: Final = (
    "names such as C4 (middle C), F#3 or Bb5, or MIDI numbers from 0 to 127; "
    "a blank or comma between notes that follow each other, + between those of a chord"
)
_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"#": 1, "♯": 1, "b": -1, "♭": -1}
_NAME: Final = re.compile(r"([A-Ga-g])([#♯]{0,2}|[b♭]{0,2})(-?\d)", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)
_HIGHEST: Final = 127

Chord = tuple[float, ...]


def parse_notes(text: str) -> tuple[Chord, ...]:
    """The chords of ``text`` in order, as MIDI pitches; a single note is a chord of one.

    Raises:
        InvalidValue: quoting the first invalid note.
    """
    words = [word for word in re.split(r"[\s,]+", text) if word]
    if not words:
        raise InvalidValue("notes", text, _ALLOWED)
    return tuple(tuple(_pitch(note) for note in word.split("+")) for word in words)


def _pitch(note: str) -> float:
    name = _NAME.fullmatch(note)
    if name:
        step, accidentals, octave = name.groups()
        pitch = 12.0 * (int(octave) + 1) + _STEPS[step.upper()] + sum(_ACCIDENTALS[a] for a in accidentals)
    elif _NUMBER.fullmatch(note):
        pitch = float(note)
    else:
        raise InvalidValue("notes", note, _ALLOWED)
    if not 0 <= pitch <= _HIGHEST:
        raise InvalidValue("notes", note, _ALLOWED)
    return pitch
