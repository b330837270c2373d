"""The General MIDI instrument closest to each patch. Programs count from 0, drums are note numbers."""

from collections.abc import Mapping
from typing import Final, get_args

from auralis.score.events import Layer, Note

LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
DRUM_CHANNEL: Final = 9  # channel 10 when counted from 1
_MELODIC: Final[tuple[int, ...]] = (*range(DRUM_CHANNEL), *range(DRUM_CHANNEL + 1, 16))

_PROGRAMS: Final[Mapping[str, int]] = {
    "air": 101,  # goblins: breath and shimmer
    "bowed": 40,  # violin
    "choir": 52,  # choir aahs
    "church_bell": 14,  # tubular bells
    "drone": 95,  # sweep pad
    "felt_piano": 0,  # acoustic grand
    "flute": 73,
    "glass_pad": 92,  # bowed glass pad
    "glockenspiel": 9,
    "harp": 46,
    "hollow_pad": 88,  # new age pad
    "kalimba": 108,
    "marimba": 12,
    "rain": 96,  # FX 1, rain
    "risset_bell": 98,  # FX 3, crystal
    "sea": 122,  # seashore
    "shimmer": 98,
    "singing_bowl": 92,
    "strings": 49,  # slow strings
    "sub": 38,  # synth bass
    "swell": 97,  # soundtrack
    "tubular_bell": 14,
    "vibraphone": 11,
    "vinyl": 103,  # sci-fi: the only hiss there is
    "warm_pad": 89,
    "wind": 122,
}
# For patches that are not listed above, and for all percussion.
_BY_LAYER: Final[Mapping[Layer, int]] = {
    "drone": 95,
    "pad": 89,
    "choir": 52,
    "bells": 14,
    "melody": 0,
    "answer": 73,
    "texture": 101,
    "percussion": 0,  # standard kit
}
_DRUMS: Final[Mapping[str, int]] = {
    "brush": 40,  # electric snare, a tap in brush kits
    "rim": 37,  # side stick
    "shaker": 70,  # maracas
    "soft_kick": 36,
    "low_tom": 45,
}


def channel_of(layer: Layer) -> int:
    """The layer's MIDI channel, from 0."""
    if layer == "percussion":
        return DRUM_CHANNEL
    return _MELODIC[LAYERS.index(layer)]


def program_of(note: Note) -> int:
    """The General MIDI program that the note is played with."""
    if note.layer == "percussion":
        return _BY_LAYER["percussion"]
    return _PROGRAMS.get(note.patch, _BY_LAYER[note.layer])


def key_of(note: Note) -> int:
    """The note's MIDI key: the drum of a known percussion patch, else the pitch to the nearest semitone."""
    drum = _DRUMS.get(note.patch) if note.layer == "percussion" else None
    return round(note.pitch) if drum is None else drum
