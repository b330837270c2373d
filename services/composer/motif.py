"""Motifs: the melody's memory. A phrase is either new or recalls an old motif, unchanged or varied."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from services.composer.chance import Chance

MOST_NOTES: Final = 7
_KEPT: Final = 8
_FEWEST_NOTES: Final = 3
_ROOMY_PERMILLE: Final = 250  # of cells are drawn freely, even if notes get cut: otherwise all are short
_MOST_UNEVEN: Final = 80  # one folk song in twenty exceeds 65
_LEAP: Final = 3  # diatonic steps: a fourth
_PAIR_PERMILLE: Final = 150
_REUSE_PERMILLE: Final = 760
# About 22 % less for each motif learnt since; the oldest one kept counts half as much again, like a theme.
_AGE_WEIGHTS: Final = (100, 78, 61, 47, 37, 29, 22, 17)


class Motif(msgspec.Struct, frozen=True, array_like=True):
    """Diatonic steps between notes, and the notes' durations in half beats (one more than steps)."""

    steps: tuple[int, ...]
    halves: tuple[int, ...]


def _restate(motif: Motif) -> Motif:
    return motif


def fragment(motif: Motif) -> Motif:
    """The first two thirds of ``motif``."""
    notes = max(2, (2 * len(motif.halves) + 2) // 3)
    return Motif(motif.steps[: notes - 1], motif.halves[:notes])


def ending(motif: Motif) -> Motif:
    """The last three notes of ``motif``."""
    return Motif(motif.steps[-2:], motif.halves[-3:])


def inverted(motif: Motif) -> Motif:
    """``motif`` upside down: up where it went down."""
    return Motif(tuple(-step for step in motif.steps), motif.halves)


def augmented(motif: Motif) -> Motif:
    """``motif`` at half speed."""
    return Motif(motif.steps, tuple(2 * half for half in motif.halves))


def _retrograde(motif: Motif) -> Motif:
    return Motif(tuple(-step for step in reversed(motif.steps)), tuple(reversed(motif.halves)))


def _ornamented(motif: Motif) -> Motif:
    """``motif`` with its longest note ornamented: up to the next step and back."""
    place = max(range(len(motif.halves)), key=lambda n: (motif.halves[n], -n))
    long = motif.halves[place]
    if long < 3 or len(motif.halves) + 2 > MOST_NOTES:
        return motif
    parts = (long - 2, 1, 1)
    steps = (*motif.steps[:place], 1, -1, *motif.steps[place:])
    return Motif(steps, (*motif.halves[:place], *parts, *motif.halves[place + 1 :]))


_VARIATIONS: Final[Mapping[Callable[[Motif], Motif], int]] = {
    _restate: 66,
    fragment: 14,
    inverted: 10,
    augmented: 8,
    _ornamented: 6,
    _retrograde: 4,
}


class Recall(NamedTuple):
    """An old motif as it returns, and its place among the motifs kept."""

    motif: Motif
    place: int


def recalled(motifs: Sequence[Motif], last: int, chance: Chance, index: int) -> Recall | None:
    """The motif that phrase ``index`` recalls; ``None`` if the phrase is to be new.

    Sometimes it is the one that followed the motif at place ``last``, sung just before, when both were new:
    two phrases that return together are heard as one returning idea. Any other recall may be varied.
    """
    if 0 <= last < len(motifs) - 1 and chance.hits(_PAIR_PERMILLE, index, 5):
        return Recall(motifs[last + 1], last + 1)
    if not motifs or not chance.hits(_REUSE_PERMILLE, index, 0):
        return None
    weights = [_AGE_WEIGHTS[len(motifs) - 1 - place] for place in range(len(motifs))]
    weights[0] = weights[0] * 3 // 2
    place = chance.pick(weights, index, 1)
    vary = list(_VARIATIONS)[chance.pick(list(_VARIATIONS.values()), index, 2)]
    return Recall(vary(motifs[place]), place)


def new_rhythm(
    cells: Sequence[tuple[int, ...]], notes: int, longest: int, chance: Chance, index: int
) -> tuple[int, ...]:
    """``notes`` durations in half beats, built from ``cells``, mostly ones that leave room for the rest."""
    halves: list[int] = []
    while len(halves) < notes:
        room, left = longest - sum(halves), notes - len(halves)
        fitting = [cell for cell in cells if sum(cell) * left <= room * len(cell)]
        chosen = fitting or [min(cells, key=lambda cell: Fraction(sum(cell), len(cell)))]
        if chance.hits(_ROOMY_PERMILLE, index, 4, len(halves)):
            chosen = list(cells)
        halves += chosen[chance.below(len(chosen), index, 3, len(halves))]
    return tuple(halves[:notes])


def remembered(motifs: Sequence[Motif], motif: Motif) -> tuple[Motif, ...]:
    """The motifs to keep after a new one: the very first, and the latest.

    A new one is not kept if it has only two notes, more than one leap, or too uneven a rhythm.
    """
    leaps = sum(abs(step) >= _LEAP for step in motif.steps)
    if len(motif.halves) < _FEWEST_NOTES or leaps > 1 or _unevenness(motif) > _MOST_UNEVEN:
        return tuple(motifs)
    kept = (*motifs, motif)
    return kept if len(kept) <= _KEPT else (kept[0], *kept[2:])


def _unevenness(motif: Motif) -> int:
    """How much neighbouring durations differ, in percent of their mean (nPVI)."""
    pairs = list(pairwise(motif.halves))
    return sum(200 * abs(a - b) // (a + b) for a, b in pairs) // len(pairs)
