"""Form: sections of several minutes, each with its register, density, palette, rhythms and layers.

What a section *is* follows from the seed and its number, so none of it has to be stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

import msgspec

from auralis.keys import Mode
from auralis.score.events import Layer
from services.composer.chance import Chance
from services.composer.harmony_tables import PALETTES
from services.composer.weighing import tilted

LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
NEUTRAL: Final = 500  # of mood, in thousandths


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of section; ``register`` in semitones; ``pace``, ``rest`` and ``bells`` in percent of normal.

    ``levels`` has one digit for each layer, in the order of :data:`LAYERS`, from 0 (off) to 3 (leads).
    ``pace`` stretches the chords, ``rest`` the melody's rests; ``minutes`` are the section's shortest and
    longest duration; ``following`` maps the sections that may come next to their weights.
    """

    levels: str
    register: int
    pace: int
    rest: int
    bells: int
    minutes: tuple[int, int]
    following: Mapping[str, int]

    def level(self, layer: Layer) -> int:
        """0 (off) to 3 (leads)."""
        return int(self.levels[LAYERS.index(layer)])


FIRST: Final = "drift"  # has most layers, so that a new listener hears what the piece is made of
CODA: Final = "coda"  # follows no other section: it ends a finite piece
# Dawn does not follow still: two sections without a melody could last more than ten minutes.
SECTIONS: Final[Mapping[str, Section]] = {
    "dawn": Section("21020020", -3, 150, 220, 120, (3, 6), {"drift": 70, "clearing": 30}),
    "drift": Section(
        "22021011", 0, 100, 110, 100, (4, 8), {"bloom": 30, "tide": 25, "clearing": 25, "still": 20}
    ),
    "bloom": Section("13213212", 4, 80, 75, 90, (3, 6), {"clearing": 40, "still": 30, "dusk": 30}),
    "clearing": Section(
        "12012101", 2, 100, 100, 120, (3, 5), {"drift": 35, "bloom": 30, "dusk": 20, "still": 15}
    ),
    "still": Section("21110020", -2, 200, 250, 80, (3, 7), {"drift": 45, "clearing": 30, "tide": 25}),
    "tide": Section("32101122", -4, 90, 120, 70, (3, 8), {"bloom": 35, "drift": 35, "dusk": 30}),
    "dusk": Section("22121020", -5, 140, 100, 110, (4, 8), {"dawn": 40, "still": 35, "drift": 25}),
    CODA: Section("21000000", -3, 150, 150, 100, (2, 2), {}),
}

# Weight, and durations in half beats (doubled at a fast tempo).
CELLS: Final[tuple[tuple[int, tuple[int, ...]], ...]] = (
    (30, (8,)),
    (15, (12,)),
    (25, (4, 4)),
    (12, (6, 2)),
    (9, (2, 6)),
    (10, (4, 8)),
    (14, (4, 2, 2)),
    (14, (2, 2, 4)),
    (9, (3, 1, 4)),
    (8, (6, 6, 4)),
    (5, (1, 1, 6)),
    (8, (3, 3, 2)),
    (6, (2, 1, 1, 4)),
    (3, (2, 2, 2, 2)),
)
# A section has three cells; with more, it would sound more uneven than any corpus of songs.
_EVEN: Final = tuple(
    place for place, (_, cell) in enumerate(CELLS) if len(cell) > 1 and max(cell) <= 2 * min(cell)
)
_SHORT: Final = tuple(place for place, (_, cell) in enumerate(CELLS) if len(cell) > 2)


class Form(msgspec.Struct, frozen=True, array_like=True):
    """The current section and its number, with the seconds of the piece that it covers.

    It may end from ``ends_s`` on; ``before`` is the name of the section before it ("": none).
    """

    name: str
    number: int
    ends_s: int
    begins_s: int = 0
    before: str = ""


def first_form(seed: int) -> Form:
    """The section that begins the piece."""
    return Form(FIRST, 0, _seconds(seed, 0, FIRST))


def next_form(seed: int, form: Form) -> Form:
    """The section that follows ``form``; a coda is followed by itself."""
    number = form.number + 1
    following = SECTIONS[form.name].following or {form.name: 1}
    name = list(following)[Chance(seed, "form").pick(list(following.values()), number)]
    return Form(name, number, form.ends_s + _seconds(seed, number, name), form.ends_s, form.name)


def _seconds(seed: int, number: int, name: str) -> int:
    shortest, longest = SECTIONS[name].minutes
    return 60 * shortest + Chance(seed, "form.length").below(60 * (longest - shortest) + 1, number)


def palette_of(seed: int, number: int, mode: Mode, mood: int = NEUTRAL) -> tuple[str, ...]:
    """The chords that section ``number`` mostly keeps to; neighbouring sections seldom share a palette.

    ``mood`` (0–1000) prefers dark palettes when low, bright ones when high.
    """
    palettes = list(PALETTES[mode].values())
    weights = [tilted(weight * 100, 180 * (mood - NEUTRAL) * slope) for weight, slope, _ in palettes]
    chance = Chance(seed, "form.palette")
    drawn = chance.pick(weights, number)
    if number and drawn == chance.pick(weights, number - 1):
        weights[drawn] = weights[drawn] * 15 // 100
        drawn = chance.pick(weights, number, 1)
    return palettes[drawn][2]


def cells_of(seed: int, number: int) -> tuple[tuple[int, ...], ...]:
    """The rhythmic cells of section ``number``: an even one (the whole piece's), a short one, one more."""
    chance = Chance(seed, "form.cells")
    chosen = [_EVEN[chance.pick([CELLS[place][0] for place in _EVEN], 0)]]
    short = [CELLS[place][0] * (place not in chosen) for place in _SHORT]
    chosen.append(_SHORT[chance.pick(short, number, 0)])
    left = [0 if place in chosen else weight for place, (weight, _) in enumerate(CELLS)]
    chosen.append(chance.pick(left, number, 1))
    return tuple(CELLS[place][1] for place in chosen)
