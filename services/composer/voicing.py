"""Voice leading: four voices over a bass, each chord voiced at the least cost from the one before.

The choice is greedy, over all legal voicings: looking eight chords ahead lowers the mean movement from .88 to
.76 semitones at fifteen times the work (measured on a prototype), which is not worth it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.composer.scale import pitches_of

VOICES: Final = 4
HOMES: Final = (55, 60, 65, 70)
_RANGES: Final = ((48, 64), (53, 69), (57, 74), (60, 79))
_BASS_LOWEST: Final = 33
_BASS_HIGHEST: Final = 49
_BASS_HOME: Final = 38
_REACH: Final = 7
_WIDEST_GAP: Final = 12
# The lowest pitch on which an interval (in semitones) is heard as an interval and not as rumble.
_LOWEST: Final = {1: 52, 2: 51, 3: 48, 4: 47, 5: 45, 6: 45, 7: 37, 8: 41, 9: 41, 10: 41, 11: 41}
_BEGIN_WITHOUT_REACH: Final = 12
# Costs in hundredths of a semitone of movement.
_MOVED_THOUGH_COMMON: Final = 150
_OVERLAP: Final = 200
_PARALLEL_WITH_BASS: Final = 300
_PARALLEL: Final = 180
_MISSING_COLOUR: Final = 400
_DOUBLED: Final = {"open": 60, "third": 150, "colour": 200}
_CLOSE: Final = 200
_MUD: Final = 600
_WIDE: Final = 50
_TOP_LEAPS: Final = 150
_TOP_STAYS: Final = 600
_UNRESOLVED: Final = 800
_HOME: Final = 6


class Ground(NamedTuple):
    """What a voicing stands on: the chord's tones (root first), the bass, and the register in semitones.

    A voice on one of the ``bound`` tones should leave it by step. If it ``stirs``, the highest voice should
    move: otherwise it may stay for long on a tone that all chords share.
    """

    tones: tuple[int, ...]
    bass: int
    shift: int = 0
    stirs: bool = False
    bound: frozenset[int] = frozenset()


def bass_pitch(tone: int, before: int | None) -> int:
    """The pitch of class ``tone`` in the bass register nearest to the bass ``before``."""
    near = _BASS_HOME if before is None else before
    return min(pitches_of({tone}, _BASS_LOWEST, _BASS_HIGHEST), key=lambda pitch: (abs(pitch - near), pitch))


def voice(ground: Ground, before: Sequence[int] | None, bass_before: int | None = None) -> tuple[int, ...]:
    """Four ascending pitches over ``ground.bass`` that follow ``before`` (none at the beginning)."""
    old = tuple(before) if before else tuple(home + ground.shift for home in HOMES)
    reach = _REACH if before else _BEGIN_WITHOUT_REACH
    search = _Search(ground, old, ground.bass if bass_before is None else bass_before, reach)
    search.descend((), 0)
    return search.best


class _Search:
    """Branch and bound over all ascending voicings, from the lowest voice up."""

    def __init__(self, ground: Ground, old: tuple[int, ...], old_bass: int, reach: int) -> None:
        self._ground, self._old, self._old_bass = ground, old, old_bass
        self._choices = [self._ranked(place, reach) for place in range(VOICES)]
        self._cost: int | None = None
        self.best: tuple[int, ...] = ()

    def _ranked(self, place: int, reach: int) -> list[tuple[int, int]]:
        """(cost, pitch) of each pitch that the voice may take, cheapest first, to find the best early."""
        pitches = pitches_of(self._ground.tones, *_RANGES[place])
        near = [pitch for pitch in pitches if abs(pitch - self._old[place]) <= reach]
        return sorted((_own_cost(pitch, place, self._old, self._ground), pitch) for pitch in near)

    def descend(self, below: tuple[int, ...], cost: int) -> None:
        """Try every continuation of the voices ``below``, which cost ``cost`` so far."""
        if len(below) == VOICES:
            self._weigh(below, cost)
            return
        for own, pitch in self._choices[len(below)]:
            if self._cost is not None and cost + own > self._cost:
                return
            if not below:
                if pitch > self._ground.bass:
                    self.descend((pitch,), cost + own)
            elif 0 < pitch - below[-1] <= _WIDEST_GAP:
                self.descend((*below, pitch), cost + own + _gap_cost(below[-1], pitch))

    def _weigh(self, new: tuple[int, ...], cost: int) -> None:
        cost += _parallels((self._ground.bass, *new), (self._old_bass, *self._old))
        cost += _content(new, self._ground.tones) + _span_cost(new[-1] - new[0])
        # Among equals the lowest, whatever the order of the search.
        if self._cost is None or (cost, new) < (self._cost, self.best):
            self._cost, self.best = cost, new


def _own_cost(pitch: int, place: int, old: tuple[int, ...], ground: Ground) -> int:
    """What a voice costs by itself: its movement and its distance from home."""
    moved = abs(pitch - old[place])
    cost = 100 * moved + 50 * max(0, moved - 2) ** 2
    if moved and old[place] % 12 in ground.tones:
        cost += _MOVED_THOUGH_COMMON
    if moved > 2 and old[place] % 12 in ground.bound:
        cost += _UNRESOLVED
    if (place and pitch < old[place - 1]) or (place + 1 < VOICES and pitch > old[place + 1]):
        cost += _OVERLAP
    if not place:
        cost += _muddy(ground.bass, pitch)
    if place + 1 == VOICES:
        cost += _TOP_LEAPS * (moved > 4) + _TOP_STAYS * (ground.stirs and not moved)
    return cost + _HOME * (pitch - HOMES[place] - ground.shift) ** 2 // VOICES


def _muddy(low: int, high: int) -> int:
    return _MUD * (low < _LOWEST.get(high - low, 0))


def _gap_cost(low: int, high: int) -> int:
    gap = high - low
    return _muddy(low, high) + _CLOSE * ((gap < 2) + (gap < 3 and low < 55)) + _WIDE * max(0, gap - 9)


def _span_cost(span: int) -> int:
    return _WIDE * (max(0, 14 - span) + max(0, span - 24))


def _parallels(after: tuple[int, ...], before: tuple[int, ...]) -> int:
    """The cost of parallel fifths and octaves, the bass included."""
    cost = 0
    for low in range(VOICES):
        if after[low] == before[low]:
            continue
        for high in range(low + 1, VOICES + 1):
            gap = after[high] - after[low]
            if gap % 12 in (0, 7) and gap == before[high] - before[low]:
                cost += _PARALLEL if low else _PARALLEL_WITH_BASS
    return cost


def _content(new: tuple[int, ...], tones: tuple[int, ...]) -> int:
    """The cost of missing and doubled tones; the bass has the root, and the fifth in its overtones."""
    root = tones[0]
    counts = {tone: sum(pitch % 12 == tone for pitch in new) for tone in tones}
    cost = 0
    for tone, count in counts.items():
        above = (tone - root) % 12
        if not count and above not in (0, 7):
            cost += _MISSING_COLOUR
        kind = "open" if above in (0, 7) else "third" if above in (3, 4) else "colour"
        cost += _DOUBLED[kind] * max(0, count - 1)
    return cost
