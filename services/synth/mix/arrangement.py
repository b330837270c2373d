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

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp import arrays, grid, noise, steady
from services.synth.dsp.additive import Waves
from services.synth.dsp.arrays import Array
from services.synth.dsp.steady import Spectrum, Spread
from services.synth.mix.desk import LAYERS, Mixes
from services.synth.mix.sounding import Sounding
from services.synth.voices.columns import Hiss
from services.synth.voices.terms import EARS
from services.synth.voices.voice import AtPlace, Part, Stage, Voice, brightness_range

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
    parts: tuple[AtPlace, ...]
    bases: Array


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRows:
    """The partials of a chunk at one place, by layer.

    ``table`` (``[column, row]``) and ``tones`` (``[3, row]``) are those of
    :class:`services.synth.voices.voice.AtPlace`; ``layers`` says which of :data:`LAYERS` a row belongs to.
    """

    placed: tuple[Placed, ...]
    table: Array
    tones: NDArray[np.float64]
    layers: NDArray[np.intp]

    def __len__(self) -> int:
        """Rows."""
        return int(self.tones.shape[1])

    def made_of(self, placed: Sequence[Placed]) -> bool:
        """Whether these very parts are here, in this order."""
        return len(placed) == len(self.placed) and all(map(Placed.same, placed, self.placed))


@dataclass(frozen=True, slots=True, eq=False)
class LivelyRows(PlaceRows):
    """Lively partials on one grid: ``phasors`` are ``[border, row]``.

    ``moving`` are rows whose levels move fast; ``slides`` says whether the pitch of any row does.
    """

    phasors: Array
    moving: NDArray[np.intp]
    slides: bool
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SteadyRows(PlaceRows):
    """Steady partials: what each adds to each output is ``mixing`` (``[output, row]``)."""

    spectrum: Spectrum
    mixing: Array


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
    """The partials of a chunk, on each grid and steady, and its noises; None: there are none.

    It serves chunks with the same ``voices`` in the same range of brightness that begin from ``since`` on and
    before ``until``.
    """

    voices: list[Voice]
    bright: int
    since: float
    until: float
    lively: tuple[LivelyRows | None, ...]
    steady: SteadyRows | None
    hiss: HissRows | None

    @property
    def places(self) -> tuple[PlaceRows | None, ...]:
        """The partials at each of the places."""
        return (*self.lively, self.steady)

    def serves(self, sounding: Sounding) -> bool:
        """Whether it is that of a chunk."""
        return (
            self.since <= sounding.start_frame < self.until
            and self.voices == sounding.voices
            and self.bright == brightness_range(sounding.brightest)
        )


_NUMBERS: Final = {layer: number for number, layer in enumerate(LAYERS)}

NOTHING: Final = Arrangement([], 0, -math.inf, math.inf, (None,) * grid.LIVELY, None, None)


class Arranger:
    """Arranges the voices of chunks on a device, to be mixed by a desk."""

    def __init__(self, audio: AudioFormat, device: torch.device, desk: Mixes) -> None:
        self._audio = audio
        self._device = device
        self._desk = desk

    def arrange(self, sounding: Sounding, before: Arrangement = NOTHING) -> Arrangement:
        """The arrangement of a chunk's voices; what has not changed is taken from ``before``."""
        staged = [(each, each.stage(sounding.start_frame, sounding.brightest)) for each in sounding.voices]
        by_layer = sorted(staged, key=lambda each: LAYERS.index(each[0].layer))
        placed = [list(_placed(by_layer, place)) for place in range(grid.PLACES)]
        hissing = [(voice, stage.hiss_moves) for voice, stage in by_layer if len(voice.hiss)]
        return Arrangement(
            sounding.voices,
            brightness_range(sounding.brightest),
            max((stage.since for _, stage in staged), default=-math.inf),
            min((stage.until for _, stage in staged), default=math.inf),
            tuple(map(self._lively, placed[: grid.LIVELY], before.lively)),
            self._steady(placed[grid.STEADY], before.steady),
            _hiss_rows(hissing, self._device, before.hiss),
        )

    def _lively(self, placed: Sequence[Placed], before: LivelyRows | None) -> LivelyRows | None:
        if not placed or (before is not None and before.made_of(placed)):
            return before if placed else None
        kernels = [kernel for each in placed if isinstance(kernel := each.part.rows.kernel, Waves)]
        known = {tuple(map(id, group.parts)): group.bases for group in before.groups} if before else {}
        table, tones, layers = _joined(placed)
        return LivelyRows(
            tuple(placed),
            arrays.on(self._device, table),
            tones,
            layers,
            arrays.on(self._device, np.concatenate([each.phasors for each in kernels], axis=1)),
            np.flatnonzero(np.concatenate([each.part.moving for each in placed])),
            any(each.voice.slides for each in placed),
            tuple(_groups(placed, self._device, known)),
        )

    def _steady(self, placed: Sequence[Placed], before: SteadyRows | None) -> SteadyRows | None:
        if not placed or (before is not None and before.made_of(placed)):
            return before if placed else None
        kernels = [kernel for each in placed if isinstance(kernel := each.part.rows.kernel, Spread)]
        table, tones, layers = _joined(placed)
        return SteadyRows(
            tuple(placed),
            arrays.on(self._device, table),
            tones,
            layers,
            steady.spectrum(kernels, float(tones[0].max()), self._audio, self._device),
            arrays.on(self._device, self._mixing(table[EARS], layers)),
        )

    def _mixing(self, ears: NDArray[np.float32], layers: NDArray[np.intp]) -> NDArray[np.float32]:
        """What each row adds to each output, ``[output, row]``, from what it adds to each ear."""
        weights = self._desk.weights(LAYERS)
        return np.asarray(sum(weights[:, layers, ear] * ears[ear] for ear in range(AUDIO_CHANNELS)))


def _joined(placed: Sequence[Placed]) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]]:
    """Table, tones and layers of all parts."""
    parts = [each.part.rows for each in placed]
    table, tones = (np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("table", "tones"))
    layers = np.repeat([_NUMBERS[each.voice.layer] for each in placed], [len(part) for part in parts])
    return table, tones, layers


def _placed(staged: Sequence[Staged], place: int) -> Iterator[Placed]:
    for voice, stage in staged:
        part = stage.parts[place]
        if part is not None:
            yield Placed(voice, part)


def _groups(
    placed: Sequence[Placed], device: torch.device, known: Mapping[tuple[int, ...], Array]
) -> Iterator[Group]:
    first = 0
    for layer, members in groupby(placed, key=lambda each: each.voice.layer):
        parts = tuple(each.part.rows for each in members)
        last = first + sum(map(len, parts))
        bases = known.get(tuple(map(id, parts)))
        if bases is None:
            bases = [part.kernel.bases for part in parts if isinstance(part.kernel, Waves)]
            flat = [each.reshape(-1, each.shape[-1]) for each in bases]
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
