"""Names of keys and chords as MIDI files and musicians write them."""

from typing import Final

from auralis.keys import Key
from auralis.score.events import Chord

_SHARP: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# Flat key signatures by the relative major's tonic: fewer than seven accidentals, F# rather than Gb.
_FLAT_SIGNATURES: Final = frozenset({1, 3, 5, 8, 10})
_SUFFIXES: Final = {"madd9": "m(add9)", "add9": "(add9)", "quartal": "(quartal)", "lydian": "maj7(#11)"}


def signature_name(key: Key) -> str:
    """The key as a MIDI key signature: ``Eb``, ``F#m``."""
    return spelled(key.tonic, key) + ("m" if key.mode == "minor" else "")


def chord_name(chord: Chord, key: Key | None) -> str:
    """The chord's symbol: ``Am9``, ``F#m7/E`` where the lowest tone is not the root."""
    lowered = chord.degree.rpartition("=")[2].startswith("b")
    root = _FLAT[chord.root] if lowered else spelled(chord.root, key)
    name = root + _SUFFIXES.get(chord.quality, chord.quality)
    bass = round(chord.pitches[0]) % 12 if chord.pitches else chord.root
    return name if bass == chord.root else f"{name}/{spelled(bass, key)}"


def spelled(pitch_class: int, key: Key | None) -> str:
    """The name of a pitch class, with a sharp or a flat as in ``key``."""
    flat = key is not None and key.signature in _FLAT_SIGNATURES
    return (_FLAT if flat else _SHARP)[pitch_class]
