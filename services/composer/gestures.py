"""Gestures: events that happen once in a section, at moments that follow from the seed and the section.

A *call* of bells, a *thinning* of the pads to one tone that the next chord shares, and a *breath*: a few
seconds in which only the drone, the texture and the room sound.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from services.composer.chance import Chance
from services.composer.form import CODA, Form

# When each begins, in thousandths of the section, and how many seconds it lasts.
_CALL: Final = (200, 350)
_THINNING: Final = (420, 560)
_THINNING_S: Final = (8, 12)
_BREATH: Final = (680, 820)
_BREATH_S: Final = (3, 6)
_SHORTEST_S: Final = 100  # a shorter section has no time for them


class Gestures(NamedTuple):
    """Seconds of the piece: the moment of the call, and ``[begin, end)`` of the other two."""

    call: int
    thinning: tuple[int, int]
    breath: tuple[int, int]


NONE: Final = Gestures(-1, (-1, -1), (-1, -1))


@lru_cache(maxsize=256)
def gestures_of(seed: int, form: Form) -> Gestures:
    """The gestures of the section ``form``."""
    if form.name == CODA or form.ends_s - form.begins_s < _SHORTEST_S:
        return NONE
    chance = Chance(seed, "gestures")

    def drawn(what: int, low: int, high: int) -> int:
        return low + chance.below(high - low + 1, form.number, what)

    length = form.ends_s - form.begins_s
    call, thin, still = (
        form.begins_s + length * drawn(what, *share) // 1000
        for what, share in enumerate((_CALL, _THINNING, _BREATH))
    )
    return Gestures(call, (thin, thin + drawn(3, *_THINNING_S)), (still, still + drawn(4, *_BREATH_S)))
