"""The progression: a Markov chain of order 2 over degrees, coloured by palettes, tied together by refrains.

The weight of chord ``n`` after ``(a, b)`` is a table's entry for ``b`` times rules that look at ``a``;
intensity tilts it towards motion and raises the temperature, mood tilts it towards bright or dark chords. All
weights are integers.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from auralis.keys import Key, Mode
from services.composer.chance import Chance, between
from services.composer.chords import DEGREES, TONIC, Degree, Harmony, harmony_of
from services.composer.form import NEUTRAL, palette_of
from services.composer.harmony_tables import (
    BORROWED_PAIRS,
    DECEPTIVE,
    FOLLOWS,
    MOOD,
    OPEN_ENDS,
    PENULTIMATE,
    TENSION,
)
from services.composer.scene import Scene
from services.composer.weighing import tilted

_MEMORY: Final = 32  # chords remembered, to find repeated turns of four among them
_TONIC_DROUGHT: Final = 7
_PURE_AFTER_ARRIVAL: Final = 8
_PHRASE_CHORDS: Final = (3, 4, 5, 6)
_PHRASE_WEIGHTS: Final = (15, 55, 15, 15)
_NO_PEDAL_UNDER: Final = frozenset({"iii", "v", "III"})
_UNIT: Final = 10_000
_TEMPERATURE: Final = (850, 1150)  # thousandths, by intensity
_RECALL_PERMILLE: Final = (450, 250)
_SUBSTITUTE_PERMILLE: Final = 250
# Chords among which only two may be borrowed: more would raise the share of foreign tones above a twentieth.
_BORROWED_WINDOW: Final = 16
_MOST_BORROWED: Final = 2
# How a phrase of chords ends (on the tonic, open, or keeping most of the previous tones), and how much more
# likely that makes the chords that end it so.
_END_WEIGHTS: Final = (35, 45, 20)
_END_PERCENT: Final = 500
_PENULTIMATE_PERCENT: Final = 200

ChordName = tuple[str, str]


class Progression(msgspec.Struct, frozen=True, array_like=True):
    """What the chain remembers: the latest degrees (newest last), the phrase it is in, and a refrain.

    ``refrain`` is the first whole phrase of section ``section`` in its key. ``pure`` counts the next chords,
    which may not be borrowed, ``index`` all chords drawn so far.
    """

    recent: tuple[str, ...]
    index: int = 0
    pure: int = 0
    left: int = 0
    phrase: tuple[ChordName, ...] = ()
    queue: tuple[ChordName, ...] = ()
    refrain: tuple[ChordName, ...] = ()
    section: int = 0
    recalls: int = 0
    pedal: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the chord drawn last is the last one of its phrase."""
        return not self.left


def arriving(progression: Progression, degree: str) -> Progression:
    """The chain in a new key, entered through its chord ``degree``; the old key's chords are forgotten."""
    return Progression(recent=(degree,), index=progression.index, pure=_PURE_AFTER_ARRIVAL)


def draw(progression: Progression, key: Key, scene: Scene) -> tuple[Harmony, Progression]:
    """The next chord of ``key`` and the chain after it."""
    if progression.section != scene.form.number:
        progression = msgspec.structs.replace(progression, section=scene.form.number, refrain=())
    if not progression.left:
        progression = _next_phrase(progression, key.mode, scene)
    if progression.queue:
        degree, quality = progression.queue[0]
    else:
        degree = _next_degree(progression, key.mode, scene)
        quality = quality_of(degree, key.mode, scene.chance("harmony.quality"), progression.index)
    pedal = progression.pedal if _carried(progression.pedal, degree, key.mode) else None
    return harmony_of(key, degree, quality, pedal), _played(progression, (degree, quality))


def quality_of(degree: str, mode: Mode, chance: Chance, index: int) -> str:
    """One of the qualities of ``degree``, by their weights."""
    qualities = DEGREES[mode][degree].qualities
    return list(qualities)[chance.pick(list(qualities.values()), index)]


def _played(progression: Progression, chord: ChordName) -> Progression:
    phrase = (*progression.phrase, chord)
    ends = progression.left == 1
    return msgspec.structs.replace(
        progression,
        recent=(*progression.recent, chord[0])[-_MEMORY:],
        index=progression.index + 1,
        pure=max(0, progression.pure - 1),
        left=progression.left - 1,
        phrase=() if ends else phrase,
        queue=progression.queue[1:],
        # What returns should be the phrase heard first.
        refrain=progression.refrain or (phrase if ends else ()),
    )


def _next_phrase(progression: Progression, mode: Mode, scene: Scene) -> Progression:
    index = progression.index
    length = _PHRASE_CHORDS[scene.chance("harmony.phrase").pick(_PHRASE_WEIGHTS, index)]
    queue = _recalled(progression, mode, scene)
    return msgspec.structs.replace(
        progression,
        left=len(queue) or length,
        queue=queue,
        recalls=progression.recalls + 1 if queue else 0,
        # Two pedals in a row would leave the harmony without a moving bass.
        pedal=_pedal(scene, index) if progression.pedal is None else None,
    )


def _recalled(progression: Progression, mode: Mode, scene: Scene) -> tuple[ChordName, ...]:
    """The refrain, exactly or with one chord replaced; empty if the phrase is to be new."""
    if not _may_recall(progression, mode):
        return ()
    exactly = between(_RECALL_PERMILLE, scene.level)
    drawn = scene.chance("harmony.recall").below(1000, progression.index)
    if drawn < exactly:
        return progression.refrain
    return _substituted(progression, mode, scene) if drawn < exactly + _SUBSTITUTE_PERMILLE else ()


def _substituted(progression: Progression, mode: Mode, scene: Scene) -> tuple[ChordName, ...]:
    """The refrain with an inner chord replaced by another of the section's palette; empty if none fits."""
    refrain, chance = progression.refrain, scene.chance("harmony.substitute")
    if len(refrain) < 3:
        return ()
    place = 1 + chance.below(len(refrain) - 2, progression.index, 0)
    before, old, after = (refrain[place + step][0] for step in (-1, 0, 1))
    degrees, rows = list(DEGREES[mode]), FOLLOWS[mode]
    palette = palette_of(scene.seed, scene.form.number, mode, scene.mood)
    weights = [
        rows[before][column] * rows[degree][degrees.index(after)] * (degree in palette and degree != old)
        for column, degree in enumerate(degrees)
    ]
    if not any(weights):
        return ()
    degree = degrees[chance.pick(weights, progression.index, 1)]
    if progression.pure and DEGREES[mode][degree].borrowed:
        return ()
    quality = quality_of(degree, mode, scene.chance("harmony.quality"), progression.index)
    return (*refrain[:place], (degree, quality), *refrain[place + 1 :])


def _may_recall(progression: Progression, mode: Mode) -> bool:
    if not progression.refrain or progression.recalls >= 2:
        return False
    if progression.pure and any(DEGREES[mode][degree].borrowed for degree, _ in progression.refrain):
        return False
    row = FOLLOWS[mode][progression.recent[-1]]
    return row[list(DEGREES[mode]).index(progression.refrain[0][0])] > 0


def _pedal(scene: Scene, index: int) -> int | None:
    chance = scene.chance("harmony.pedal")
    if not chance.hits(between((550, 200), scene.level), index, 0):
        return None
    return 0 if chance.hits(800, index, 1) else 7


def _carried(pedal: int | None, degree: str, mode: Mode) -> bool:
    """Whether a chord rests well on the pedal: its root is not a semitone or a tritone away."""
    if pedal is None or degree in _NO_PEDAL_UNDER:
        return False
    return (pedal - DEGREES[mode][degree].root) % 12 not in (1, 6, 11)


def _next_degree(progression: Progression, mode: Mode, scene: Scene) -> str:
    palette = palette_of(scene.seed, scene.form.number, mode, scene.mood)
    weights = chain_weights(progression, mode, palette, scene.level, scene.mood)
    shape = _phrase_shape(progression, mode, scene.chance("harmony.ending"))
    weights = [weight * percent // 100 for weight, percent in zip(weights, shape, strict=True)]
    return list(DEGREES[mode])[scene.chance("harmony.degree").pick(weights, progression.index)]


def _phrase_shape(progression: Progression, mode: Mode, chance: Chance) -> list[int]:
    """How the place in the phrase favours each degree, in percent."""
    degrees = DEGREES[mode]
    if progression.left == 2:
        return [_PENULTIMATE_PERCENT if degree in PENULTIMATE[mode] else 100 for degree in degrees]
    if progression.left != 1:
        return [100] * len(degrees)
    kind = chance.pick(_END_WEIGHTS, progression.index)
    last = degrees[progression.recent[-1]].root
    ends = (
        {TONIC[mode]},
        OPEN_ENDS[mode],
        # Chords whose roots are a third apart share most of their tones.
        {degree for degree, spec in degrees.items() if (spec.root - last) % 12 in (3, 4, 8, 9)},
    )[kind]
    return [_END_PERCENT if degree in ends else 100 for degree in degrees]


def chain_weights(
    progression: Progression, mode: Mode, palette: Sequence[str], level: int, mood: int = NEUTRAL
) -> list[int]:
    """The weight of each degree of ``mode`` as the next one, in the order of the tables.

    ``level`` and ``mood`` are thousandths.
    """
    now = progression.recent[-1]
    weights = []
    for column, degree in enumerate(DEGREES[mode]):
        weight = (
            FOLLOWS[mode][now][column] * _UNIT * _in_palette(DEGREES[mode][degree], degree in palette) // 100
        )
        for percent in _rules(progression, mode, degree):
            weight = weight * percent // 100
        tilt = 8 * (level - 500) * TENSION[mode][column] + 18 * (mood - NEUTRAL) * MOOD[mode][column]
        weights.append(tilted(weight, tilt, between(_TEMPERATURE, level)))
    return _tonic_first(weights, mode) if progression.pure == _PURE_AFTER_ARRIVAL else weights


def _in_palette(degree: Degree, inside: bool) -> int:
    if degree.borrowed:
        return 400 if inside else 5
    return 100 if inside else 15


def _rules(progression: Progression, mode: Mode, degree: str) -> list[int]:
    """How the chords before it weight ``degree``: factors in percent."""
    recent = progression.recent
    rules = [_drought(recent, mode, degree), _turn(recent, degree)]
    if DEGREES[mode][degree].borrowed:
        rules.append(0 if progression.pure else _borrowing(recent, mode, degree))
    if len(recent) > 1:
        rules += _context(recent[-2], recent[-1], degree, mode)
    return rules


def _drought(recent: Sequence[str], mode: Mode, degree: str) -> int:
    waited = len(recent) >= _TONIC_DROUGHT and TONIC[mode] not in recent[-_TONIC_DROUGHT:]
    return 500 if waited and degree == TONIC[mode] else 100


def _turn(recent: Sequence[str], degree: str) -> int:
    """A shuttle A B A B never goes on to A; a turn of four gets less likely each time it was heard lately."""
    if len(recent) >= 4 and recent[-4:-2] == recent[-2:] and degree == recent[-2]:
        return 0
    turn = (*recent[-3:], degree)
    percent = 100
    for start in range(len(recent) - 3):
        if recent[start : start + 4] == turn:
            percent = percent * 30 // 100
    return percent


def _borrowing(recent: Sequence[str], mode: Mode, degree: str) -> int:
    degrees = DEGREES[mode]
    if sum(degrees[before].borrowed for before in recent[-_BORROWED_WINDOW:]) >= _MOST_BORROWED:
        return 0
    if degrees[recent[-1]].borrowed:
        return 100 if (recent[-1], degree) in BORROWED_PAIRS else 40
    return 40 if len(recent) > 1 and degrees[recent[-2]].borrowed else 100


def _context(first: str, last: str, degree: str, mode: Mode) -> list[int]:
    tonic, degrees = TONIC[mode], DEGREES[mode]
    rules = []
    if degree == first:
        rules.append(80 if degree == tonic else 35 if last == tonic else 50)
    elif first != tonic and (2 * degrees[last].root - degrees[first].root - degrees[degree].root) % 12 == 0:
        rules.append(140)
    if degree == tonic and tonic not in (first, last):
        rules.append(135)
    before, turning, towards = DECEPTIVE[mode]
    if last == turning and first in before:
        rules.append(towards.get(degree, 100))
    return rules


def _tonic_first(weights: list[int], mode: Mode) -> list[int]:
    """After a change of key, the new tonic comes first at least three times in five."""
    place = list(DEGREES[mode]).index(TONIC[mode])
    others = sum(weights) - weights[place]
    return [
        max(weight, 3 * others // 2) if n == place and weight else weight for n, weight in enumerate(weights)
    ]
