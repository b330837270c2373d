"""The scene: what every layer looks at to decide what it plays in a beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from auralis.score.events import Layer
from services.composer.chance import Chance, between
from services.composer.form import CODA, NEUTRAL, SECTIONS, Form, Section
from services.composer.orchestra import player_of

# The order in which layers change when a section does: the faintest in the mix first.
_FAINTEST_FIRST: Final[tuple[Layer, ...]] = (
    "texture",
    "percussion",
    "choir",
    "answer",
    "bells",
    "drone",
    "melody",
    "pad",
)
# At the end of a piece the layers drop out from the top down, the drone last.
_TOP_DOWN: Final[tuple[Layer, ...]] = (
    "percussion",
    "texture",
    "answer",
    "bells",
    "choir",
    "melody",
    "pad",
    "drone",
)
_TURN_S: Final = (20, 35)  # between two layers' changes
_UNHURRIED_S: Final = 180  # in a shorter section (of a finite piece) all layers turn in its first half
# The intensity (thousandths) from which a layer is heard, by its level in the section; some that are off
# join in at the highest intensities, so that 4, 4, 5, 6 and 7 layers sound on average at 0, 250, … 1000.
_HEARD_FROM: Final[Mapping[Layer, tuple[int, int, int, int]]] = {
    "drone": (0, 0, 0, 0),
    "pad": (0, 0, 0, 0),
    "choir": (700, 500, 400, 0),
    "bells": (900, 200, 0, 0),
    "melody": (650, 0, 0, 0),
    "answer": (800, 400, 300, 0),
    "texture": (800, 300, 0, 0),
    "percussion": (600, 0, 0, 0),
}
# Periods of arcs over the whole piece: primes in minutes, so that they hardly ever coincide.
_ARCS_S: Final[Mapping[str, int]] = {"register": 23 * 60, "density": 41 * 60}
_REGISTER_ARC: Final = 3  # semitones
_DENSITY_ARC: Final = 15  # percent
_REGISTER_MOOD: Final = (-3, 0, 2)
_ARRIVED: Final = 1 << 40  # seconds: every layer has turned


@dataclass(frozen=True, slots=True)
class Scene:
    """What the layers need to know to decide.

    ``level`` is the intensity and ``mood`` the valence (0–1000, 500 is neutral); ``second`` counts from
    the start of the piece.
    """

    seed: int
    level: int
    form: Form
    second: int = _ARRIVED
    mood: int = NEUTRAL

    @property
    def section(self) -> Section:
        """The kind of the section."""
        return SECTIONS[self.form.name]

    def chance(self, stream: str) -> Chance:
        """The draws of ``stream``."""
        return Chance(self.seed, stream)

    def turned(self, layer: Layer) -> bool:
        """Whether the layer has changed to this section; until then it plays as in the one before."""
        return not self.form.before or self.second >= turns(self.seed, self.form).get(layer, 0)

    def level_of(self, layer: Layer) -> int:
        """How much the layer leads where it is heard: 0 to 3."""
        return (self.section if self.turned(layer) else SECTIONS[self.form.before]).level(layer)

    def part(self, layer: Layer) -> int:
        """What the layer plays: nothing (0) or 1 to 3, by its section and the intensity."""
        level = self.level_of(layer)
        if self.form.name == CODA and self.turned(layer):
            return level
        return max(1, level) if self.level >= _HEARD_FROM[layer][level] else 0

    def player(self, layer: Layer) -> str:
        """The patch on which the layer plays."""
        return player_of(self.seed, self.form.number - (not self.turned(layer)), layer)

    @property
    def register(self) -> int:
        """Semitones by which the music lies higher than usual."""
        arc = (_REGISTER_ARC * self.arc("register") + 500) // 1000
        return self.section.register + arc + between(_REGISTER_MOOD, self.mood)

    @property
    def density(self) -> int:
        """The number of notes in percent of the usual one, as the arc has it."""
        return 100 + _DENSITY_ARC * self.arc("density") // 1000

    def arc(self, name: str) -> int:
        """A slow wave, −1000 to 1000; a parabola for each half, since sines differ between machines."""
        period = _ARCS_S[name]
        half = period // 2
        where = (self.second + self.chance("arc." + name).below(period)) % period
        inside = where % half
        height = 4000 * inside * (half - inside) // (half * half)
        return height if where < half else -height


@lru_cache(maxsize=256)
def turns(seed: int, form: Form) -> Mapping[Layer, int]:
    """When each layer that differs from the section before turns to the new one, in seconds of the piece.

    One after the other, the faintest first (in a coda the highest); a short section hurries to turn them all.
    """
    order = _TOP_DOWN if form.name == CODA else _FAINTEST_FIRST
    changing = [layer for layer in order if _differs(seed, form, layer)]
    length = form.ends_s - form.begins_s
    hurried = length < _UNHURRIED_S and form.name != CODA
    room = (length // 2 if hurried else length) // max(1, len(changing))
    chance, second, result = Chance(seed, "form.turns"), form.begins_s, {}
    for place, layer in enumerate(changing):
        result[layer] = second
        shortest, longest = (min(gap, max(1, room)) for gap in _TURN_S)
        second += shortest + chance.below(longest - shortest + 1, form.number, place)
    return result


def _differs(seed: int, form: Form, layer: Layer) -> bool:
    if SECTIONS[form.name].level(layer) != SECTIONS[form.before].level(layer):
        return True
    return player_of(seed, form.number, layer) != player_of(seed, form.number - 1, layer)
