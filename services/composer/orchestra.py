"""The orchestra: which instrument plays a layer in a section.

A section's instruments follow from the seed and the section's number, so they need not be stored; the next
section seldom keeps an instrument. The names are the synth's patch names.
"""

from collections.abc import Mapping
from typing import Final

from auralis.score.events import Layer
from services.composer.chance import Chance

PLAYERS: Final[Mapping[Layer, Mapping[str, int]]] = {
    "drone": {"drone": 70, "sub": 30},
    "pad": {"warm_pad": 45, "glass_pad": 15, "strings": 20, "hollow_pad": 20},
    "choir": {"choir": 100},
    "melody": {"felt_piano": 40, "kalimba": 18, "vibraphone": 16, "harp": 14, "flute": 12},
    "answer": {"flute": 40, "bowed": 30, "vibraphone": 30},
    "bells": {"church_bell": 35, "singing_bowl": 25, "tubular_bell": 20, "risset_bell": 20},
    "texture": {"wind": 30, "rain": 25, "sea": 20, "air": 25},
    "percussion": {"soft_kick": 100},
}
# Patches that a layer uses in addition to its player.
_GUESTS: Final[Mapping[Layer, frozenset[str]]] = {
    "percussion": frozenset({"soft_kick", "brush", "rim", "shaker", "low_tom", "swell"}),
    "texture": frozenset({"shimmer"}),
}
# The pad and the piano of every piece's first section.
_FIRST: Final[Mapping[Layer, str]] = {"pad": "warm_pad", "melody": "felt_piano"}
_AGAIN_PERCENT: Final = 20


def player_of(seed: int, number: int, layer: Layer) -> str:
    """The patch on which ``layer`` plays in section ``number``; no instrument answers itself."""
    if number == 0 and layer in _FIRST:
        return _FIRST[layer]
    chance, weights = Chance(seed, f"orchestra.{layer}"), dict(PLAYERS[layer])
    if layer == "answer":
        weights.pop(player_of(seed, number, "melody"), None)
    drawn = _drawn(chance, weights, number)
    if number and drawn == _drawn(chance, weights, number - 1):
        weights[drawn] = weights[drawn] * _AGAIN_PERCENT // 100 or 1
        drawn = list(weights)[chance.pick(list(weights.values()), number, 1)]
    return drawn


def patches_of(layer: Layer) -> frozenset[str]:
    """Every patch on which ``layer`` may play."""
    return frozenset(PLAYERS[layer]) | _GUESTS.get(layer, frozenset())


def _drawn(chance: Chance, weights: Mapping[str, int], number: int) -> str:
    return list(weights)[chance.pick(list(weights.values()), number)]
