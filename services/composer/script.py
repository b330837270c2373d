"""The script of a finite piece: which sections it has, and when."""

from typing import Final, NamedTuple

from services.composer.chance import Chance
from services.composer.form import CODA, SECTIONS, Form

_SHORT_S: Final = 60  # a shorter piece has a dawn and a coda only
_BRIEF_S: Final = 240  # a shorter piece has three sections: dawn, bloom and coda
_CODA_S: Final = (75, 120)
_DAWN_S: Final = (45, 240)
_MIDDLE_S: Final = (180, 480)  # usual and longest duration of a section between dawn and bloom
_MOST_MIDDLES: Final = 4
_BLOOM_PERMILLE: Final = (550, 650)  # of the piece, where the bloom begins
_BLOOM_SHARE: Final = 600  # thousandths of the time from there to the coda; the rest is dusk
_ENDS: Final = ("dawn", "bloom", "dusk", CODA)


class Script(NamedTuple):
    """The sections of a piece, in order, and the second at which its coda begins."""

    forms: tuple[Form, ...]
    coda_s: int

    def at(self, second: int) -> Form:
        """The section at a second of the piece."""
        return next((form for form in self.forms if second < form.ends_s), self.forms[-1])


def script_of(seed: int, seconds: float) -> Script:
    """The script of the piece ``seed`` that lasts ``seconds``."""
    length, chance = int(seconds), Chance(seed, "script")
    if length < _SHORT_S:
        return _written(("dawn",), (0,), length // 2)
    coda = length - max(min(length // 4, _CODA_S[0]), min(_CODA_S[1], 15 * length // 100))
    low, high = _BLOOM_PERMILLE
    bloom = length * (low + chance.below(high - low + 1, 0)) // 1000
    if length < _BRIEF_S:
        return _written(("dawn", "bloom"), (0, length * 3 // 10), coda)
    dusk = bloom + (coda - bloom) * _BLOOM_SHARE // 1000
    dawn = max(_DAWN_S[0], min(_DAWN_S[1], 15 * length // 100))
    names = _middle(bloom - dawn, chance)
    starts = tuple(dawn + (bloom - dawn) * place // len(names) for place in range(len(names)))
    return _written(("dawn", *names, "bloom", "dusk"), (0, *starts, bloom, dusk), coda)


def _written(names: tuple[str, ...], starts: tuple[int, ...], coda_s: int) -> Script:
    ends, befores = (*starts[1:], coda_s), ("", *names[:-1])
    forms = (
        Form(name, number, ends[number], starts[number], befores[number]) for number, name in enumerate(names)
    )
    return Script(tuple(forms), coda_s)


def _middle(seconds: int, chance: Chance) -> tuple[str, ...]:
    """The sections between dawn and bloom: each may follow the one before it, the last one leads to bloom."""
    usual, longest = _MIDDLE_S
    count = max(-(-seconds // longest), min(_MOST_MIDDLES, round(seconds / usual)), 1)
    names, name = list[str](), "dawn"
    for place in range(count):
        last = place == count - 1
        following = {
            after: weight
            for after, weight in SECTIONS[name].following.items()
            if after not in _ENDS and (not last or "bloom" in SECTIONS[after].following)
        } or {"drift" if name != "drift" else "clearing": 1}
        name = list(following)[chance.pick(list(following.values()), 1, place)]
        names.append(name)
    return tuple(names)
