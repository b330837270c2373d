"""The melody's pitches: drawn from all lines that obey the rules, in proportion to how well they fit.

A line's weight is the product of how well each note fits its chord and the contour, each interval the style,
and each turn (two intervals) the rules about leaps. Sums over all continuations are carried backwards through
the phrase (Pachet: constrained Markov sequences), then the line is drawn forwards: exactly, without dead ends
or retries. Weights are integers and sums are exact, so that every machine draws the same line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.composer.chance import Chance
from services.composer.scale import diatonic_number

LOWEST: Final = 60
HIGHEST: Final = 83
WIDEST: Final = 9  # a major sixth
# By semitones, fitted to folk and pop songs (an octave would fit too, but not this singer).
_INTERVALS: Final = (360, 90, 240, 275, 290, 185, 0, 110, 115, 160)
# How much a recalled motif's steps bind, by the distance in steps: e^(-4d).
_FIDELITY: Final = (4000, 40, 1)
_FIDELITY_FOREIGN: Final = 600  # a tone in passing ornaments a motif rather than breaking it

Pair = tuple[int, int]
Sums = Mapping[Pair, int]


@dataclass(frozen=True, slots=True)
class Slot:
    """One note to be pitched.

    ``weights``: its pitches and how well each fits by itself; ``foreign``: those outside the scale, which may
    only be passed through; ``step``: the diatonic step that a motif asks for before it.
    """

    weights: Mapping[int, int]
    foreign: frozenset[int]
    scale: tuple[int, ...]
    step: int | None = None


def _turn(first: int, second: int) -> int:
    """How well the interval ``second`` follows ``first`` (signed semitones), in hundredths."""
    onward = first * second > 0
    if onward and abs(first) > 2 and abs(second) > 2 and abs(first + second) > WIDEST:
        return 0
    if abs(first) >= 5:
        return _after_leap(second, onward)
    if not first and not second:
        return 15
    return 135 if onward and abs(first) <= 2 and abs(second) <= 2 else 100


def _after_leap(second: int, onward: bool) -> int:
    if not second:
        return 30
    step = abs(second) <= 2
    if onward:
        return 5 if step else 0
    return 300 if step else 50


_TURNS: Final = {
    (first, second): _turn(first, second)
    for first in range(-WIDEST, WIDEST + 1)
    for second in range(-WIDEST, WIDEST + 1)
}


def draw_lines(slots: Sequence[Slot], chance: Chance, index: int, count: int) -> tuple[tuple[int, ...], ...]:
    """``count`` independent draws of a line: a pitch for each of two or more ``slots``."""
    pairs = [_pairs(before, slot) for before, slot in pairwise(slots)]
    sums = _backwards(pairs)
    first = {pair: slots[0].weights[pair[0]] * weight * sums[0][pair] for pair, weight in pairs[0].items()}
    return tuple(_drawn(first, pairs, sums, chance, (index, take)) for take in range(count))


def _drawn(
    first: Sums, pairs: Sequence[Sums], sums: Sequence[Sums], chance: Chance, index: Pair
) -> tuple[int, ...]:
    line = list(list(first)[chance.pick(list(first.values()), *index, 0)])
    for place in range(1, len(pairs)):
        before, last = line[-2:]
        onward = {
            pair: weight * _TURNS[last - before, pair[1] - last] * sums[place][pair]
            for pair, weight in pairs[place].items()
            if pair[0] == last
        }
        line.append(list(onward)[chance.pick(list(onward.values()), *index, place)][1])
    return tuple(line)


def _pairs(before: Slot, slot: Slot) -> dict[Pair, int]:
    """The weight of each allowed pair of pitches, including the fit of the second one."""
    low_numbers, high_numbers = _numbers(before), _numbers(slot)
    pairs = {}
    for low, low_number in low_numbers.items():
        for high, high_number in high_numbers.items():
            weight = _INTERVALS[abs(high - low)] if abs(high - low) <= WIDEST else 0
            foreign = (low in before.foreign) + (high in slot.foreign)
            if weight and (not foreign or (foreign == 1 and 1 <= abs(high - low) <= 2)):
                fidelity = _fidelity(high_number - low_number, slot.step, foreign)
                pairs[low, high] = slot.weights[high] * weight * fidelity
    return pairs


def _numbers(slot: Slot) -> dict[int, int]:
    return {pitch: diatonic_number(pitch, slot.scale) for pitch in slot.weights}


def _fidelity(moved: int, wanted: int | None, foreign: int) -> int:
    if wanted is None:
        return 1
    return _FIDELITY_FOREIGN if foreign else _FIDELITY[min(abs(moved - wanted), 2)]


def _backwards(pairs: Sequence[dict[Pair, int]]) -> list[Sums]:
    """For each pair of pitches, the summed weight of everything that may follow it."""
    sums: list[Sums] = [dict.fromkeys(pairs[-1], 1)]
    for place in range(len(pairs) - 1, 0, -1):
        following: dict[int, list[tuple[int, int]]] = {}
        for (last, then), weight in pairs[place].items():
            following.setdefault(last, []).append((then - last, weight * sums[0][last, then]))
        sums.insert(0, {pair: _continued(pair, following.get(pair[1], ())) for pair in pairs[place - 1]})
    return sums


def _continued(pair: Pair, following: Sequence[tuple[int, int]]) -> int:
    moved = pair[1] - pair[0]
    return sum(weight * _TURNS[moved, onward] for onward, weight in following)
