"""The tones of a chord, and of the key's scale as the chord alters it."""

from typing import NamedTuple

from auralis.keys import Key
from auralis.score.events import Chord
from auralis.score.stretch import Stretch
from auralis.score.tonality import key_at
from services.composer.chords import DEGREES, QUALITIES
from services.composer.scale import scale_of


class Tones(NamedTuple):
    """The pitch classes of a chord, and of the scale while it sounds."""

    chord: frozenset[int]
    scale: frozenset[int]


class Harmony(NamedTuple):
    """A chord, its tones, and the frame at which the next one begins."""

    chord: Chord
    tones: Tones
    until_frame: int


def tones_of(stretch: Stretch) -> tuple[Harmony, ...]:
    """The stretch's chords in order, each until the next one or the end."""
    if not stretch.chords:
        return ()
    ends = [*(chord.at_frame for chord in stretch.chords[1:]), stretch.end_frame]
    return tuple(
        Harmony(chord, _tones_under(chord, key_at(stretch.keys, chord.at_frame)), until)
        for chord, until in zip(stretch.chords, ends, strict=True)
    )


def _tones_under(chord: Chord, key: Key | None) -> Tones:
    """The tones of ``chord``, from its voicing if its quality is unknown, and of the scale under it."""
    steps = QUALITIES.get(chord.quality)
    classes = (
        {round(pitch) % 12 for pitch in chord.pitches}
        if steps is None
        else {(chord.root + step) % 12 for step in steps}
    )
    return Tones(frozenset(classes), frozenset(_scale(chord, key)))


def _scale(chord: Chord, key: Key | None) -> tuple[int, ...]:
    """The key's scale, with the tones that a borrowed chord alters; all twelve if there is no key."""
    if key is None:
        return tuple(range(12))
    degree = DEGREES[key.mode].get(chord.degree)
    return scale_of(key, degree.altered if degree else None)
