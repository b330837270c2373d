"""The desk: how loud each layer is, and how much of it goes into the delay and into the room."""

from collections.abc import Mapping
from typing import Final, NamedTuple, get_args

import torch

from auralis.audio import AUDIO_CHANNELS
from auralis.score.events import Layer
from services.synth.mix import silence

LAYERS: Final[tuple[str, ...]] = get_args(Layer)
_OFF: Final = -120.0
_NO_BUSES: Final = (None, None, None)


class Strip(NamedTuple):
    """A layer's level and sends, dB."""

    level_db: float
    room_db: float
    delay_db: float = _OFF


# Patches are calibrated to one loudness; this is the balance between the layers.
STRIPS: Final[Mapping[str, Strip]] = {
    "drone": Strip(-5.0, -26.0),
    "pad": Strip(0.0, -12.0),
    "choir": Strip(-6.0, -8.0),
    "bells": Strip(-3.0, -6.0, -16.0),
    "melody": Strip(-2.0, -10.0, -13.0),
    "answer": Strip(-6.0, -8.0, -11.0),
    "texture": Strip(-15.0, -22.0),
    "percussion": Strip(-8.0, -14.0),
}
# A room answers on all sides: what is left reverberates on the right as well, this much of it.
_ACROSS: Final = 0.5
MASTER_DB: Final = 5.0
# What comes back from the delay also goes into the room, this much quieter.
DELAY_TO_ROOM: Final = 0.5


class Buses(NamedTuple):
    """A chunk before space: ``[ear, frame]`` each. The delay hears both ears as one, or nothing (None)."""

    dry: torch.Tensor
    room: torch.Tensor
    delay: torch.Tensor | None


def mixed(layers: Mapping[str, torch.Tensor], muted: frozenset[str] = frozenset()) -> Buses | None:
    """Sum the layers into the buses; None if none of them sounds."""
    heard = [name for name in LAYERS if name in layers and name not in muted]
    if not heard:
        return None
    strips = [STRIPS[name] for name in heard]
    sounds = torch.stack([layers[name] for name in heard]).flatten(1)
    gains = [[_gain(MASTER_DB + strip.level_db) for strip in strips]]
    gains += [[_gain(MASTER_DB + strip.level_db + strip.room_db) for strip in strips]]
    echoing = any(strip.delay_db > _OFF for strip in strips)
    if echoing:
        gains += [[_gain(MASTER_DB + s.level_db + s.delay_db) * (s.delay_db > _OFF) for s in strips]]
    weights = torch.tensor(gains, dtype=torch.float32, device=sounds.device)
    dry, room, *delay = (weights @ sounds).reshape(len(gains), AUDIO_CHANNELS, -1)
    room = (room + _ACROSS * room.flip(0)) / (1 + _ACROSS**2) ** 0.5
    return Buses(dry, room, delay[0].mean(dim=0).expand_as(dry) if echoing else None)


def crossfaded(old: Buses | None, new: Buses | None) -> Buses | None:
    """``old`` into ``new`` over the whole chunk; what is the same in both stays as it is."""
    heard = old or new
    if heard is None:
        return None
    share = torch.linspace(0, 1, heard.dry.shape[-1], device=heard.dry.device)
    dry, room, delay = (
        silence.crossfaded(getattr(old, bus, None), getattr(new, bus, None), share) for bus in Buses._fields
    )
    return None if dry is None or room is None else Buses(dry, room, delay)


def _gain(db: float) -> float:
    return float(10 ** (db / 20))
