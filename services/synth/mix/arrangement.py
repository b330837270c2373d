"""Arrangements: everything about the voices of a chunk that stays while none of them changes.

A channel's chunks mostly have the same voices, each in the same stage of its life. Their tables are put
together once, and used until a note begins, grows older or ends; then only what that touches is made anew.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp import arrays, grid, noise
from services.synth.dsp.arrays import Array
from services.synth.mix.desk import LAYERS
from services.synth.mix.sounding import Sounding
from services.synth.voices.columns import Hiss
from services.synth.voices.voice import OnGrid, Part, Stage, Voice, brightness_range

# A band of noise that never rises over -110 dB of full scale.
_INAUDIBLE: Final = 3e-6

Staged = tuple[Voice, Stage]


class Placed(NamedTuple):
    """What a voice adds at one place."""

    voice: Voice
    part: Part

    def same(self, other: "Placed") -> bool:
        """Whether nothing about it has changed."""
        return self.part is other.part or (
            self.part.rows is other.part.rows and np.array_equal(self.part.moving, other.part.moving)
        )


class Group(NamedTuple):
    """The partials of one layer at one place: rows ``first`` to ``last``, and the matrix of their bases."""

    layer: str
    first: int
    last: int
    parts: tuple[OnGrid, ...]
    bases: Array


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRows:
    """The partials of a chunk at one place, by layer.

    ``table`` (``[column, row]``), ``tones`` (``[3, row]``) and ``phasors`` (``[point, row]``) are those of
    :class:`services.synth.voices.voice.OnGrid`; ``moving`` are rows that do, and ``slides`` says whether the
    pitch of any does.
    """

    placed: tuple[Placed, ...]
    table: Array
    tones: NDArray[np.float64]
    phasors: Array
    moving: NDArray[np.intp]
    slides: bool
    groups: tuple[Group, ...]

    def __len__(self) -> int:
        """Rows."""
        return int(self.tones.shape[1])

    def made_of(self, placed: Sequence[Placed]) -> bool:
        """Whether these very parts are here, in this order."""
        return len(placed) == len(self.placed) and all(map(Placed.same, placed, self.placed))


@dataclass(frozen=True, slots=True, eq=False)
class HissRows:
    """Noises: tables ``[column, noise and band]`` of those that do not move and of those that do.

    ``members`` is what each noise adds to the power of each layer: ``[ear, layer, noise]``, those that do not
    move first. Of the bands those from ``lowest`` to ``highest`` can be heard.
    """

    voices: tuple[tuple[Voice, bool], ...]
    still: Array
    moving: Array
    still_at: NDArray[np.int64]
    moving_at: NDArray[np.int64]
    layers: tuple[str, ...]
    members: Array
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """The partials of a chunk at each of the places, and its noises; None: there are none.

    It serves chunks with the same ``voices`` in the same range of brightness that begin from ``since`` on and
    before ``until``.
    """

    voices: list[Voice]
    bright: int
    since: float
    until: float
    places: tuple[PlaceRows | None, ...]
    hiss: HissRows | None

    def serves(self, sounding: Sounding) -> bool:
        """Whether it is that of a chunk."""
        return (
            self.since <= sounding.start_frame < self.until
            and self.voices == sounding.voices
            and self.bright == brightness_range(sounding.brightest)
        )


NOTHING: Final = Arrangement([], 0, -math.inf, math.inf, (None,) * grid.PLACES, None)


def arrange(sounding: Sounding, device: torch.device, before: Arrangement = NOTHING) -> Arrangement:
    """The arrangement of a chunk's voices; what has not changed is taken from ``before``."""
    staged = [(each, each.stage(sounding.start_frame, sounding.brightest)) for each in sounding.voices]
    by_layer = sorted(staged, key=lambda each: LAYERS.index(each[0].layer))
    places = (
        _place_rows(list(_placed(by_layer, place)), device, rows) for place, rows in enumerate(before.places)
    )
    hissing = [(voice, stage.hiss_moves) for voice, stage in by_layer if len(voice.hiss)]
    return Arrangement(
        sounding.voices,
        brightness_range(sounding.brightest),
        max((stage.since for _, stage in staged), default=-math.inf),
        min((stage.until for _, stage in staged), default=math.inf),
        tuple(places),
        _hiss_rows(hissing, device, before.hiss),
    )


def _placed(staged: Sequence[Staged], place: int) -> Iterator[Placed]:
    for voice, stage in staged:
        part = stage.parts[place]
        if part is not None:
            yield Placed(voice, part)


def _place_rows(placed: Sequence[Placed], device: torch.device, before: PlaceRows | None) -> PlaceRows | None:
    if not placed:
        return None
    if before is not None and before.made_of(placed):
        return before
    parts = [each.part.rows for each in placed]
    table, tones, phasors = (
        np.concatenate([getattr(part, name) for part in parts], axis=1)
        for name in ("table", "tones", "phasors")
    )
    known = {tuple(map(id, group.parts)): group.bases for group in before.groups} if before else {}
    return PlaceRows(
        tuple(placed),
        arrays.on(device, table),
        tones,
        arrays.on(device, phasors),
        np.flatnonzero(np.concatenate([each.part.moving for each in placed])),
        any(each.voice.slides for each in placed),
        tuple(_groups(placed, device, known)),
    )


def _groups(
    placed: Sequence[Placed], device: torch.device, known: Mapping[tuple[int, ...], Array]
) -> Iterator[Group]:
    first = 0
    for layer, members in groupby(placed, key=lambda each: each.voice.layer):
        parts = tuple(each.part.rows for each in members)
        last = first + sum(map(len, parts))
        bases = known.get(tuple(map(id, parts)))
        if bases is None:
            flat = [part.bases.reshape(-1, part.bases.shape[-1]) for part in parts]
            bases = arrays.on(device, arrays.joined(flat))
        yield Group(layer, first, last, parts, bases)
        first = last


def _hiss_rows(
    hissing: Sequence[tuple[Voice, bool]], device: torch.device, before: HissRows | None
) -> HissRows | None:
    if not hissing or (before is not None and _same_voices(hissing, before.voices)):
        return before if hissing else None
    still, moving = ([voice for voice, moves in hissing if moves is which] for which in (False, True))
    voices = [*still, *moving]
    layers = tuple(dict.fromkeys(voice.layer for voice, _ in hissing))
    loudest = np.concatenate([voice.hiss[..., Hiss.GAIN] for voice in voices]).max(axis=0)
    heard = np.flatnonzero(loudest > _INAUDIBLE)
    return HissRows(
        tuple(hissing),
        _hiss_table(still, device),
        _hiss_table(moving, device),
        _hiss_frames(still),
        _hiss_frames(moving),
        layers,
        arrays.on(device, _members(layers, voices)),
        int(heard.min(initial=noise.BANDS)),
        int(heard.max(initial=-1)),
    )


def _same_voices(some: Sequence[tuple[Voice, bool]], others: Sequence[tuple[Voice, bool]]) -> bool:
    return len(some) == len(others) and all(
        one[0] is other[0] and one[1] is other[1] for one, other in zip(some, others, strict=True)
    )


def _hiss_table(voices: Sequence[Voice], device: torch.device) -> Array:
    nothing = np.zeros((0, noise.BANDS, len(Hiss)), dtype=np.float32)
    table = np.concatenate([nothing, *(voice.hiss for voice in voices)]).reshape(-1, len(Hiss))
    return arrays.on(device, table.T.copy())


def _hiss_frames(voices: Sequence[Voice]) -> NDArray[np.int64]:
    at_frames = np.array([voice.timing.at for voice in voices], dtype=np.int64)
    return np.repeat(at_frames, [len(voice.hiss) * noise.BANDS for voice in voices])


def _members(layers: Sequence[str], voices: Sequence[Voice]) -> NDArray[np.float32]:
    """The power that each noise adds to each ear and layer: ``[ear, layer, noise]``."""
    sides = np.concatenate([voice.hiss[:, 0, [Hiss.LEFT, Hiss.RIGHT]] ** 2 for voice in voices])
    places = np.repeat([layers.index(voice.layer) for voice in voices], [len(voice.hiss) for voice in voices])
    members = np.zeros((AUDIO_CHANNELS, len(layers), len(sides)), dtype=np.float32)
    members[:, places, np.arange(len(sides))] = sides.T
    return members
