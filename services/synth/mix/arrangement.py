"""Arrangements: everything about the voices of a chunk that stays the same while none of them changes.

A channel's chunks mostly have the same voices, each in the same stage of its life. Their tables are combined
once, and used until a note begins, grows older or ends; then only the parts that this affects are rebuilt.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp import arrays, grid, noise, steady
from services.synth.dsp.additive import PARTS, Waves
from services.synth.dsp.arrays import Array, Device, Float64Array
from services.synth.dsp.steady import Spectrum, Spread
from services.synth.mix.desk import LAYERS, Mixes
from services.synth.mix.sounding import Sounding
from services.synth.voices import hiss_terms
from services.synth.voices.terms import EARS
from services.synth.voices.voice import AtPlace, Part, Stage, Voice, brightness_range

# -110 dB of full scale, for the gain of a band in a voice's table: before its envelope, before gusts and
# intensity, which may raise it, and before the desk. Bands are left out below the lowest and above the
# highest one in which some noise has a higher gain.
_INAUDIBLE: Final = 3e-6

Staged = tuple[Voice, Stage]


K = TypeVar("K", Waves, Spread)


class Placed(NamedTuple, Generic[K]):
    """The partials of a voice at one place."""

    voice: Voice
    part: Part[K]

    def same(self, other: "Placed[K]") -> bool:
        """Whether nothing has changed since ``other``."""
        return self.part is other.part or (
            self.part.rows is other.part.rows and np.array_equal(self.part.moving, other.part.moving)
        )


class Group(NamedTuple):
    """The lively partials of one layer on one grid: rows ``first`` to ``last - 1``, their parts and bases."""

    layer: str
    first: int
    last: int
    parts: tuple[AtPlace[Waves], ...]
    bases: Array


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRows(Generic[K]):
    """The partials of a chunk at one place, by layer.

    ``table`` (``[column, row]``) and ``tones`` (``[4, row]``) are as in
    :class:`services.synth.voices.voice.AtPlace`; ``layers`` says which of :data:`LAYERS` a row belongs to.
    """

    placed: tuple[Placed[K], ...]
    table: Array
    tones: Float64Array
    layers: NDArray[np.intp]

    def __len__(self) -> int:
        """Rows."""
        return int(self.tones.shape[1])

    def made_of(self, placed: Sequence[Placed[K]]) -> bool:
        """Whether the rows are made of exactly these parts, in this order."""
        return len(placed) == len(self.placed) and all(map(Placed.same, placed, self.placed))


@dataclass(frozen=True, slots=True, eq=False)
class LivelyRows(PlaceRows[Waves]):
    """Lively partials on one grid: ``phasors`` are ``[border, row]``.

    ``moving`` are rows whose levels move fast. ``mixing`` is the gain of each ear of each group in each
    output: ``[output, group and ear]``.
    """

    phasors: Array
    moving: NDArray[np.intp]
    groups: tuple[Group, ...]
    mixing: Array


@dataclass(frozen=True, slots=True, eq=False)
class SteadyRows(PlaceRows[Spread]):
    """Steady partials; ``mixing`` is the gain of each in each output: ``[row, output and part]``."""

    spectrum: Spectrum
    mixing: Array


@dataclass(frozen=True, slots=True, eq=False)
class HissRows:
    """Noises: terms ``[term, noise and band]`` and onset frames of ``still`` and of fast ``moving`` ones.

    ``members`` is what each noise adds to the power of each layer, still noises first: ``[ear, layer,
    noise]``; ``mixing`` is the gain of each layer in each output: ``[ear, output, layer]``. Only the bands
    from ``lowest`` to ``highest`` can be heard.
    """

    voices: tuple[tuple[Voice, bool], ...]
    still: Array
    moving: Array
    still_at: NDArray[np.int64]
    moving_at: NDArray[np.int64]
    layers: tuple[str, ...]
    members: Array
    mixing: Array
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """The partials of a chunk, lively on each grid and steady, and its noises; None where there are none.

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
    def places(self) -> tuple[LivelyRows | SteadyRows | None, ...]:
        """The partials at each place."""
        return (*self.lively, self.steady)

    def serves(self, sounding: Sounding) -> bool:
        """Whether it is the arrangement of ``sounding``."""
        return (
            self.since <= sounding.start_frame < self.until
            and self.voices == sounding.voices
            and self.bright == brightness_range(sounding.brightest)
        )


_NUMBERS: Final = {layer: number for number, layer in enumerate(LAYERS)}

NOTHING: Final = Arrangement([], 0, -math.inf, math.inf, (None,) * grid.LIVELY, None, None)


class Arranger:
    """Arranges the voices of chunks on a device, to be mixed by a desk."""

    def __init__(self, audio: AudioFormat, device: Device, desk: Mixes) -> None:
        self._audio = audio
        self._device = device
        self._desk = desk

    def arrange(self, sounding: Sounding, before: Arrangement = NOTHING) -> Arrangement:
        """The arrangement of a chunk's voices; unchanged parts are taken from ``before``."""
        start_frame, brightest = sounding.start_frame, sounding.brightest
        staged = [(each, each.stage(start_frame, brightest)) for each in sounding.voices]
        by_layer = sorted(staged, key=lambda each: LAYERS.index(each[0].layer))
        hissing = [(voice, stage.hiss_moves) for voice, stage in by_layer if len(voice.hiss)]
        return Arrangement(
            sounding.voices,
            brightness_range(brightest),
            max((stage.since for _, stage in staged), default=-math.inf),
            min((stage.until for _, stage in staged), default=math.inf),
            tuple(self._lively(by_layer, place, rows) for place, rows in enumerate(before.lively)),
            self._steady(by_layer, before.steady),
            self._hiss(hissing, before.hiss),
        )

    def _lively(self, staged: Sequence[Staged], place: int, before: LivelyRows | None) -> LivelyRows | None:
        placed = [Placed(voice, part) for voice, stage in staged if (part := stage.lively[place])]
        if not placed or (before is not None and before.made_of(placed)):
            return before if placed else None
        table, tones, layers = _joined(placed)
        known = {tuple(map(id, group.parts)): group.bases for group in before.groups} if before else {}
        groups = tuple(_groups(placed, self._device, known))
        weights = self._desk.weights(tuple(each.layer for each in groups))
        return LivelyRows(
            tuple(placed),
            arrays.on(self._device, table),
            tones,
            layers,
            arrays.on(self._device, np.concatenate([part.rows.kernel.phasors for _, part in placed], axis=1)),
            np.flatnonzero(np.concatenate([part.moving for _, part in placed])),
            groups,
            arrays.on(self._device, weights.reshape(len(weights), -1)),
        )

    def _steady(self, staged: Sequence[Staged], before: SteadyRows | None) -> SteadyRows | None:
        placed = [Placed(voice, part) for voice, stage in staged if (part := stage.steady)]
        if not placed or (before is not None and before.made_of(placed)):
            return before if placed else None
        table, tones, layers = _joined(placed)
        spreads = [part.rows.kernel for _, part in placed]
        return SteadyRows(
            tuple(placed),
            arrays.on(self._device, table),
            tones,
            layers,
            steady.spectrum(spreads, float(tones[0].max()), self._audio, self._device),
            arrays.on(self._device, self._mixing(table[EARS], layers)),
        )

    def _hiss(self, hissing: Sequence[tuple[Voice, bool]], before: HissRows | None) -> HissRows | None:
        if not hissing or (before is not None and _same_voices(hissing, before.voices)):
            return before if hissing else None
        still, moving = ([voice for voice, moves in hissing if moves is which] for which in (False, True))
        voices = [*still, *moving]
        layers = tuple(dict.fromkeys(voice.layer for voice, _ in hissing))
        loudest = np.stack([voice.hiss_gains for voice in voices]).max(axis=0)
        heard = np.flatnonzero(loudest > _INAUDIBLE)
        return HissRows(
            tuple(hissing),
            _hiss_table(still, self._device),
            _hiss_table(moving, self._device),
            _hiss_frames(still),
            _hiss_frames(moving),
            layers,
            arrays.on(self._device, _members(layers, voices)),
            arrays.on(self._device, self._desk.weights(layers).transpose(2, 0, 1).copy()),
            int(heard.min(initial=noise.BANDS)),
            int(heard.max(initial=-1)),
        )

    def _mixing(self, ears: NDArray[np.float32], layers: NDArray[np.intp]) -> NDArray[np.float32]:
        """The gain of each row in each output, ``[row, output and part]``, from its gains at the ears."""
        weights = self._desk.weights(LAYERS)
        found = sum(weights[:, layers, ear] * ears[ear] for ear in range(AUDIO_CHANNELS))
        return np.repeat(np.transpose(found), PARTS, axis=1)


def _joined(
    placed: Sequence[Placed[K]],
) -> tuple[NDArray[np.float32], Float64Array, NDArray[np.intp]]:
    """Table, tones and layers of all parts, concatenated."""
    table = np.concatenate([part.rows.table for _, part in placed], axis=1)
    tones = np.concatenate([part.rows.tones for _, part in placed], axis=1)
    layers = np.repeat([_NUMBERS[voice.layer] for voice, _ in placed], [len(part) for _, part in placed])
    return table, tones, layers


def _groups(
    placed: Sequence[Placed[Waves]], device: Device, known: Mapping[tuple[int, ...], Array]
) -> Iterator[Group]:
    first = 0
    for layer, members in groupby(placed, key=lambda each: each.voice.layer):
        parts = tuple(each.part.rows for each in members)
        last = first + sum(map(len, parts))
        bases = known.get(tuple(map(id, parts)))
        if bases is None:
            flat = [part.kernel.bases.reshape(-1, part.kernel.bases.shape[-1]) for part in parts]
            bases = arrays.on(device, arrays.joined(flat))
        yield Group(layer, first, last, parts, bases)
        first = last


def _same_voices(some: Sequence[tuple[Voice, bool]], others: Sequence[tuple[Voice, bool]]) -> bool:
    return len(some) == len(others) and all(
        one[0] is other[0] and one[1] is other[1] for one, other in zip(some, others, strict=True)
    )


def _hiss_table(voices: Sequence[Voice], device: Device) -> Array:
    nothing = np.zeros((hiss_terms.COUNT, 0), dtype=np.float32)
    return arrays.on(device, np.concatenate([nothing, *(voice.hiss_terms for voice in voices)], axis=1))


def _hiss_frames(voices: Sequence[Voice]) -> NDArray[np.int64]:
    at_frames = np.array([voice.timing.at for voice in voices], dtype=np.int64)
    return np.repeat(at_frames, [len(voice.hiss) * noise.BANDS for voice in voices])


def _members(layers: Sequence[str], voices: Sequence[Voice]) -> NDArray[np.float32]:
    """The power that each noise adds to each ear and layer: ``[ear, layer, noise]``."""
    power = np.concatenate([voice.hiss_power for voice in voices], axis=1)
    places = np.repeat([layers.index(voice.layer) for voice in voices], [len(voice.hiss) for voice in voices])
    members = np.zeros((AUDIO_CHANNELS, len(layers), len(places)), dtype=np.float32)
    members[:, places, np.arange(len(places))] = power
    return members
