"""The melody: phrases with rests between them, each planned as a whole when it begins.

A rest lasts about 1.6 times as long as the phrase before it at intensity 0, half as long at 1; its length is
computed again at every beat, so that a change of intensity is heard at once.
"""

from typing import Final

import msgspec

from services.composer.balance import Balance
from services.composer.chance import between
from services.composer.form import cells_of
from services.composer.motif import MOST_NOTES, Motif, new_rhythm, recalled, remembered
from services.composer.phrase import Phrase, PlannedNote, Stretch, fitted
from services.composer.scene import Scene
from services.composer.tempo import TICKS_A_BEAT

_NOTES_PERMILLE: Final = (3200, 5400)
_NOTES_SPREAD_PERMILLE: Final = 1700
_FEWEST_NOTES: Final = 2
_SHORTEST_TICKS: Final = 3 * TICKS_A_BEAT
_REST_PERMILLE: Final = (1600, 500)
_REST_SPREAD: Final = (56, 74, 88, 100, 113, 134, 178)  # percent: seven quantiles of a lognormal, σ = .35


class Melody(msgspec.Struct, frozen=True, array_like=True):
    """The notes still to be played, and the melody's memory.

    ``silent_since`` is where the latest phrase ends, ``last_ticks`` how long it is, both in ticks; ``shape``
    is its motif, ``last`` that motif's place among ``motifs`` (the newest one's, if it was not kept).
    """

    phrase: tuple[PlannedNote, ...] = ()
    silent_since: int = 0
    last_ticks: int = 2 * TICKS_A_BEAT
    index: int = 0
    motifs: tuple[Motif, ...] = ()
    balance: Balance = Balance()
    shape: Motif | None = None
    last: int = -1


def hushed(melody: Melody, tick: int) -> Melody:
    """The melody fallen silent, because what it had planned no longer fits."""
    return msgspec.structs.replace(melody, phrase=(), silent_since=tick) if melody.phrase else melody


def advanced(melody: Melody, stretch: Stretch, scene: Scene) -> Melody:
    """The melody at the beat of ``stretch``: with a new phrase if it has rested enough."""
    if melody.phrase or not scene.part("melody") or not _rested(melody, stretch.tick, scene):
        return melody
    if stretch.longest < _SHORTEST_TICKS:
        return melody
    old = recalled(melody.motifs, melody.last, scene.chance("melody.motif"), melody.index)
    shape = fitted(old.motif if old else _new_shape(melody.index, stretch, scene), stretch)
    notes, motif, balance = Phrase(melody.index, shape, stretch, scene, melody.balance).sung()
    end = notes[-1].tick + notes[-1].ticks
    kept = melody.motifs if old else remembered(melody.motifs, motif)
    last = old.place if old else len(kept) - 1
    return Melody(notes, end, end - notes[0].tick, melody.index + 1, kept, balance, motif, last)


def _rested(melody: Melody, tick: int, scene: Scene) -> bool:
    chance = scene.chance("melody.rest")
    spread = _REST_SPREAD[chance.below(len(_REST_SPREAD), melody.index)]
    percents = spread * scene.section.rest * 100 // scene.density
    need = melody.last_ticks * between(_REST_PERMILLE, scene.level) * percents // 10_000_000
    return tick - melody.silent_since >= need


def _new_shape(index: int, stretch: Stretch, scene: Scene) -> Motif:
    chance = scene.chance("melody.shape")
    spread = chance.spread(_NOTES_SPREAD_PERMILLE, index, 0)
    notes = (between(_NOTES_PERMILLE, scene.level) + spread + 500) // 1000
    cells = cells_of(scene.seed, scene.form.number)
    notes = max(_FEWEST_NOTES, min(MOST_NOTES, notes))
    return Motif((), new_rhythm(cells, notes, stretch.longest_halves, chance, index))
