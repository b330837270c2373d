"""Musical keys: twelve tonics, major and minor."""

from dataclasses import dataclass
from typing import Final, Literal

from auralis.errors import InvalidValue

Mode = Literal["major", "minor"]

TONIC_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_ENHARMONIC: Final = {"Db": 1, "D#": 3, "Gb": 6, "G#": 8, "A#": 10}
_PITCH_CLASS: Final = {name.lower(): pc for pc, name in enumerate(TONIC_NAMES)} | {
    name.lower(): pc for name, pc in _ENHARMONIC.items()
}
KEY_NAMES: Final = tuple(f"{tonic} {mode}" for tonic in TONIC_NAMES for mode in ("major", "minor"))
_ALLOWED: Final = f"one of {', '.join(TONIC_NAMES)} with major or minor, as in 'A minor'"


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (pitch class 0–11, C = 0) and a mode."""

    tonic: int
    mode: Mode

    def __str__(self) -> str:
        return f"{TONIC_NAMES[self.tonic]} {self.mode}"

    @property
    def signature(self) -> int:
        """The key signature, given as the pitch class of the relative major's tonic, 0–11."""
        return (self.tonic + (3 if self.mode == "minor" else 0)) % 12


def parse_key(text: str) -> Key:
    """Read a key such as ``"A minor"``, ``"eb Major"`` or ``"F#"`` (major when the mode is left out).

    Raises:
        InvalidValue: naming what was found and what is allowed.
    """
    words = text.split()
    tonic = _PITCH_CLASS.get(words[0].lower()) if words else None
    mode = words[1].lower() if len(words) > 1 else "major"
    if tonic is None or len(words) > 2 or mode not in ("major", "minor"):
        raise InvalidValue("key", text, _ALLOWED)
    return Key(tonic, "minor" if mode == "minor" else "major")
