"""The balance of the melody: how much of it sounds on chord tones, on scale tones, and outside the scale.

The targets are 72 − 4·I, 25 and 3 + 4·I percent of the duration (I: intensity, 0–1). A kind that has been
played too little so far gets more weight in the next phrase.
"""

from typing import Final

import msgspec

from services.composer.chance import between

_SCALE_PERMILLE: Final = 250
_FOREIGN_PERMILLE: Final = (30, 70)  # at intensity 0 and 1
_SCALE_FIT: Final = 300
_FOREIGN_FIT: Final = (260, 600)
_REMEMBERED_TICKS: Final = 1600
# A beat of debt (four ticks) raises a fit by these shares, in thousandths, within the limits.
_SCALE_PULL: Final = 600
_FOREIGN_PULL: Final = 2500
_LIMITS: Final = (100, 8000)


class Balance(msgspec.Struct, frozen=True, array_like=True):
    """Ticks sung on chord tones, scale tones and foreign tones; old ones fade."""

    chord: int = 0
    scale: int = 0
    foreign: int = 0

    @property
    def total(self) -> int:
        """All ticks."""
        return self.chord + self.scale + self.foreign

    def scale_fit(self) -> int:
        """How well a scale tone fits now (a chord tone: 200 or more, depending on its beat)."""
        return _SCALE_FIT * _pull(_SCALE_PERMILLE * self.total // 1000 - self.scale, _SCALE_PULL) // 1000

    def foreign_fit(self, level: int) -> int:
        """How well a foreign tone fits now, where one is allowed at all."""
        owed = between(_FOREIGN_PERMILLE, level) * self.total // 1000 - self.foreign
        return between(_FOREIGN_FIT, level) * _pull(owed, _FOREIGN_PULL) // 1000

    def debt(self, level: int) -> int:
        """Thousandths of ticks by which scale and (counted twice) foreign tones are off their shares.

        ``level`` is the intensity in thousandths.
        """
        scale = abs(_SCALE_PERMILLE * self.total - 1000 * self.scale)
        return scale + 2 * abs(between(_FOREIGN_PERMILLE, level) * self.total - 1000 * self.foreign)

    def with_sung(self, chord: int, scale: int, foreign: int) -> "Balance":
        """The balance after that many more ticks of each."""
        new = Balance(self.chord + chord, self.scale + scale, self.foreign + foreign)
        return (
            new
            if new.total < _REMEMBERED_TICKS
            else Balance(new.chord // 2, new.scale // 2, new.foreign // 2)
        )


def _pull(owed_ticks: int, strength: int) -> int:
    return max(_LIMITS[0], min(_LIMITS[1], 1000 + strength * owed_ticks // 4))
