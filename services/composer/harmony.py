"""The progression: a Markov chain of order 2 over degrees, coloured by palettes, tied together by refrains.

The weight of chord ``n`` after ``(a, b)`` is a table's entry for ``b`` times rules that look at ``a``;
intensity tilts it towards motion and raises the temperature. All weights are integers; the exponentials are
computed by :mod:`decimal`, which rounds correctly everywhere.
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final

import msgspec

from auralis.keys import Key, Mode
from services.composer.chance import Chance, between
from services.composer.chords import DEGREES, TONIC, Degree, Harmony, harmony_of
from services.composer.form import Scene, palette_of
from services.composer.harmony_tables import BORROWED_PAIRS, DECEPTIVE, FOLLOWS, TENSION

_MEMORY: Final = 32  # chords within which a repeated turn of four counts as one
_TONIC_DROUGHT: Final = 7
_PURE_AFTER_ARRIVAL: Final = 8
_PHRASE_CHORDS: Final = (3, 4, 5, 6)
_PHRASE_WEIGHTS: Final = (15, 55, 15, 15)
_NO_PEDAL_UNDER: Final = frozenset({"iii", "v", "III"})
_UNIT: Final = 10_000

ChordName = tuple[str, str]


class Progression(msgspec.Struct, frozen=True, array_like=True):
    """What the chain remembers: the degrees so far (newest last), the phrase it is in, and a refrain.

    ``refrain`` is the first whole phrase of section ``section`` in its key. ``pure`` counts the chords that
    may still borrow nothing, ``index`` the chords ever drawn.
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


def arriving(progression: Progression, degree: str) -> Progression:
    """The chain in a new key, entered by its chord ``degree``: what was said in the old key is forgotten."""
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
        # What returns should be what was heard first.
        refrain=progression.refrain or (phrase if ends else ()),
    )


def _next_phrase(progression: Progression, mode: Mode, scene: Scene) -> Progression:
    index = progression.index
    length = _PHRASE_CHORDS[scene.chance("harmony.phrase").pick(_PHRASE_WEIGHTS, index)]
    recall = _may_recall(progression, mode) and scene.chance("harmony.recall").hits(
        between((400, 200), scene.level), index
    )
    return msgspec.structs.replace(
        progression,
        left=len(progression.refrain) if recall else length,
        queue=progression.refrain if recall else (),
        recalls=progression.recalls + 1 if recall else 0,
        # Two pedals running would take the ground from the bass.
        pedal=_pedal(scene, index) if progression.pedal is None else None,
    )


def _may_recall(progression: Progression, mode: Mode) -> bool:
    if not progression.refrain or progression.recalls >= 2:
        return False
    row = FOLLOWS[mode][progression.recent[-1]]
    return row[list(DEGREES[mode]).index(progression.refrain[0][0])] > 0


def _pedal(scene: Scene, index: int) -> int | None:
    chance = scene.chance("harmony.pedal")
    if not chance.hits(between((550, 200), scene.level), index, 0):
        return None
    return 0 if chance.hits(800, index, 1) else 7


def _carried(pedal: int | None, degree: str, mode: Mode) -> bool:
    """Whether a chord rests well on the pedal: not a semitone or a tritone from its root."""
    if pedal is None or degree in _NO_PEDAL_UNDER:
        return False
    return (pedal - DEGREES[mode][degree].root) % 12 not in (1, 6, 11)


def _next_degree(progression: Progression, mode: Mode, scene: Scene) -> str:
    palette = palette_of(scene.seed, scene.form.number, mode)
    weights = chain_weights(progression, mode, palette, scene.level)
    return list(DEGREES[mode])[scene.chance("harmony.degree").pick(weights, progression.index)]


def chain_weights(progression: Progression, mode: Mode, palette: Sequence[str], level: int) -> list[int]:
    """The weight of each degree of ``mode`` as the next one, in the order of the tables."""
    now = progression.recent[-1]
    weights = []
    for column, degree in enumerate(DEGREES[mode]):
        weight = (
            FOLLOWS[mode][now][column] * _UNIT * _in_palette(DEGREES[mode][degree], degree in palette) // 100
        )
        for percent in _rules(progression, mode, degree):
            weight = weight * percent // 100
        weights.append(_tilted(weight, TENSION[mode][column], level))
    return _tonic_first(weights, mode) if progression.pure == _PURE_AFTER_ARRIVAL else weights


def _in_palette(degree: Degree, inside: bool) -> int:
    if degree.borrowed:
        return 400 if inside else 5
    return 100 if inside else 15


def _rules(progression: Progression, mode: Mode, degree: str) -> list[int]:
    """What the chords before the last one do to ``degree``, in percent."""
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
    """A shuttle A B A B never goes on to A; a turn of four that was heard lately is less likely each time."""
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


def _tilted(weight: int, tension: int, level: int) -> int:
    if not weight:
        return 0
    exact = Context(prec=20)
    tilt = Decimal(8 * (level - 500) * tension)
    exponent = exact.add(exact.ln(Decimal(weight)), exact.divide(tilt, Decimal(1_000_000)))
    temperature = exact.divide(Decimal(between((850, 1150), level)), Decimal(1000))
    return 1 + int(exact.exp(exact.divide(exponent, temperature)))


def _tonic_first(weights: list[int], mode: Mode) -> list[int]:
    """After a change of key its tonic is heard first, three times in five at the least."""
    place = list(DEGREES[mode]).index(TONIC[mode])
    others = sum(weights) - weights[place]
    return [
        max(weight, 3 * others // 2) if n == place and weight else weight for n, weight in enumerate(weights)
    ]
