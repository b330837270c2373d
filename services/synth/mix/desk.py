"""The desk: how loud each layer is, and how much of it goes into the delay and into the room."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from auralis.score.events import Layer
from services.synth.dsp.arrays import Array
from services.synth.mix import silence

LAYERS: Final[tuple[str, ...]] = get_args(Layer)
_OFF: Final = -120.0
_NO_BUSES: Final = (None, None, None)


# ``[output, layer, ear]``: the gain of each ear of each layer in each output.
Weights = NDArray[np.float32]


class Mixes(Protocol):
    """A mixer, as renderers need it."""

    def weights(self, layers: tuple[str, ...]) -> Weights:
        """``[output, layer, ear]``."""
        ...


class Strip(NamedTuple):
    """A layer's level and sends, dB."""

    level_db: float
    room_db: float
    delay_db: float = _OFF


# Patches are calibrated to one loudness; this is the balance between the layers.
STRIPS: Final[Mapping[str, Strip]] = {
    "drone": Strip(-5.0, -26.0),
    "pad": Strip(0.0, -8.0),
    "choir": Strip(-5.0, -5.0),
    "bells": Strip(-6.0, -4.0, -16.0),
    "melody": Strip(-3.5, -6.5, -13.0),
    "answer": Strip(-6.0, -5.0, -11.0),
    "texture": Strip(-15.0, -22.0),
    "percussion": Strip(-8.0, -11.0),
}
# A room answers from all sides: sound on the left also reverberates on the right, with this gain relative to
# the left.
_ACROSS: Final = 0.5
MASTER_DB: Final = 4.1
OUTPUTS: Final = 5  # dry left and right, room left and right, delay
# Echoes also go into the room, with this gain.
DELAY_TO_ROOM: Final = 0.5


class Buses(NamedTuple):
    """A chunk before space: ``[ear, frame]`` each. ``delay`` is mono; None if nothing is sent to it."""

    dry: Array
    room: Array
    delay: Array | None


class Desk:
    """Mixes layers to outputs: the buses ``dry`` and ``room`` of each ear, and ``delay``."""

    @staticmethod
    def weights(layers: tuple[str, ...]) -> Weights:
        """The gain of each ear of each layer in each output: ``[output, layer, ear]``."""
        return _weights(layers)

    @staticmethod
    def buses(outputs: Array | None, layers: Iterable[str]) -> Buses | None:
        """``[output, frame]``, mixed from ``layers``, as buses; None if nothing sounds."""
        if outputs is None:
            return None
        echoing = any(STRIPS[name].delay_db > _OFF for name in layers)
        return Buses(outputs[0:2], outputs[2:4], outputs[4:5] if echoing else None)


class Flat:
    """No desk: every layer as it is; the outputs are the ears."""

    @staticmethod
    def weights(layers: tuple[str, ...]) -> Weights:
        """``[output, layer, ear]``."""
        return np.repeat(np.eye(AUDIO_CHANNELS, dtype=np.float32)[:, None], len(layers), axis=1)


@lru_cache(maxsize=1024)  # a layer is named once for each place where it has partials
def _weights(layers: tuple[str, ...]) -> Weights:
    found = np.zeros((OUTPUTS, len(layers), AUDIO_CHANNELS), dtype=np.float32)
    for place, name in enumerate(layers):
        strip = STRIPS[name]
        dry = _gain(MASTER_DB + strip.level_db)
        room = dry * _gain(strip.room_db) / (1 + _ACROSS**2) ** 0.5
        delay = dry * _gain(strip.delay_db) if strip.delay_db > _OFF else 0.0
        found[:, place, 0] = dry, 0.0, room, room * _ACROSS, delay / 2
        found[:, place, 1] = 0.0, dry, room * _ACROSS, room, delay / 2
    return found


def crossfaded(old: Buses | None, new: Buses | None) -> Buses | None:
    """``old`` into ``new`` over the whole chunk; values that are equal in both stay exactly the same."""
    heard = old or new
    if heard is None:
        return None
    share = np.linspace(0, 1, heard.dry.shape[-1])
    dry, room, delay = (
        silence.crossfaded(getattr(old, bus, None), getattr(new, bus, None), share) for bus in Buses._fields
    )
    return None if dry is None or room is None else Buses(dry, room, delay)


def _gain(db: float) -> float:
    return float(10 ** (db / 20))
