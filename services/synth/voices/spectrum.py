"""The partials of a note, from its patch: their static properties."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp.arrays import Float64Array
from services.synth.patches.schema import Copy, Harmonics, Modes, Patch, Resonance, Unison
from services.synth.voices import formants
from services.synth.voices.playing import MIDDLE_C_HZ, Playing

# Partials above this share of the sample rate are left out, so that nothing can alias.
_HIGHEST: Final = 0.45
# Partials this far below the loudest one are left out.
INAUDIBLE_DB: Final = -90.0
SPECTRA: Final = 3


@dataclass(frozen=True, slots=True)
class Partials:
    """One element per partial; ``number`` counts from 1 within a copy, ``copy`` is the copy's index."""

    number: NDArray[np.intp]
    copy: NDArray[np.intp]
    freq_hz: Float64Array
    gain: Float64Array
    pan: Float64Array
    morph_db: Float64Array  # [partial, spectrum]

    @property
    def copies(self) -> int:
        """The number of copies."""
        return int(self.copy.max(initial=0)) + 1

    def where(self, keep: NDArray[np.bool_]) -> "Partials":
        """The partials that ``keep`` selects."""
        return Partials(
            self.number[keep],
            self.copy[keep],
            self.freq_hz[keep],
            self.gain[keep],
            self.pan[keep],
            self.morph_db[keep],
        )


def partials_of(playing: Playing) -> Partials:
    """All audible partials, copies included, at unit velocity."""
    patch, f0, draw = playing.patch, playing.f0_hz, playing.draw
    if patch.partials is None:
        return _none()
    ratios, levels_db = _series(patch.partials, f0, draw)
    copies = _copies(patch.unison, len(ratios))
    offsets = np.array(getattr(patch.partials, "offsets_hz", ()) or [0.0] * len(ratios))
    index = copies.number - 1
    freq = (f0 * ratios + offsets)[index] * 2 ** (_detune_cents(patch.unison, copies, f0, draw) / 1200)
    weight = _alone(patch.unison, copies, freq)
    gain = 10 ** ((levels_db[index] + _resonant_db(patch.resonances, freq)) / 20) * weight
    morph_db = _morph_db(patch, f0, freq, index)
    found = Partials(copies.number, copies.place, freq, gain, copies.pan, morph_db)
    return found.where(_audible(found, playing.audio.sample_rate_hz))


def _none() -> Partials:
    empty, index = np.zeros(0), np.zeros(0, dtype=np.intp)
    return Partials(index, index, empty, empty, empty, np.zeros((0, SPECTRA)))


def _series(
    partials: Harmonics | Modes, f0: float, draw: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Ratios and levels (dB) of one copy."""
    if isinstance(partials, Modes):
        ratios, levels = np.array(partials.ratios), np.array(partials.levels_db)
    else:
        ratios, levels = _harmonic(partials, f0)
    return ratios, levels + draw.normal(0.0, 1.0, len(ratios)) * partials.spread_db


def _harmonic(partials: Harmonics, f0: float) -> tuple[Float64Array, Float64Array]:
    n = np.arange(1, partials.count + 1, dtype=float)
    stretch = partials.stretch * 2 ** (12 * np.log2(f0 / MIDDLE_C_HZ) / partials.stretch_semitones)
    stretch = max(stretch, partials.stretch_least)
    ratios = n * np.sqrt((1 + stretch * n**2) / (1 + stretch))
    if partials.levels_db:
        return ratios, np.array(partials.levels_db, dtype=float)
    levels = -20 * partials.exponent * np.log10(n) + np.where(n % 2 == 0, partials.even_db, 0.0)
    if partials.pluck:
        shape = np.abs(np.sin(np.pi * n * partials.pluck))
        levels = levels + 20 * np.log10(partials.pluck_floor + (1 - partials.pluck_floor) * shape)
    return ratios, levels


def _resonant_db(resonances: tuple[Resonance, ...], freq_hz: Float64Array) -> Float64Array:
    bells = [
        resonance.level_db / (1 + (2 * (freq_hz - resonance.hz) / resonance.width_hz) ** 2)
        for resonance in resonances
    ]
    return np.asarray(sum(bells, np.zeros(len(freq_hz))))


class _Copies(NamedTuple):
    """One element per partial: its number, the index of its copy, and the copy's parameters.

    Both sets of copies (``copies`` and ``upper``) have unit power.
    """

    number: NDArray[np.intp]
    place: NDArray[np.intp]
    cents: Float64Array
    weight: Float64Array
    pan: Float64Array


@lru_cache(maxsize=128)
def _copies(unison: Unison, count: int) -> _Copies:
    """The copies of a patch with ``count`` partials."""
    lower = min(unison.upper_from - 1, count) if unison.upper else count
    numbers = [range(1, lower + 1)] * len(unison.copies) + [range(lower + 1, count + 1)] * len(unison.upper)
    copies = (*unison.copies, *unison.upper)
    power = [_power(unison.copies)] * len(unison.copies) + [_power(unison.upper)] * len(unison.upper)
    place = np.repeat(np.arange(len(copies)), [len(each) for each in numbers])
    cents, weight, pan = (
        np.array(values, dtype=float)[place]
        for values in (
            [copy.cents for copy in copies],
            [copy.weight / whole for copy, whole in zip(copies, power, strict=True)],
            [copy.pan for copy in copies],
        )
    )
    return _Copies(np.array([n for each in numbers for n in each], dtype=np.intp), place, cents, weight, pan)


def _detune_cents(unison: Unison, copies: _Copies, f0: float, draw: np.random.Generator) -> Float64Array:
    chance = draw.normal(0.0, 1.0, len(unison.copies) + len(unison.upper)) * unison.spread_cents
    least = 1200 * np.log2(1 + unison.beat_hz / f0)
    tracking = (200.0 / f0) ** unison.tracking
    return np.asarray(copies.cents * tracking + chance[copies.place] + least * copies.place)


def _alone(unison: Unison, copies: _Copies, freq_hz: Float64Array) -> Float64Array:
    """The copies' weights; in the lows, where beats are too slow and deep, the loudest has all the power."""
    if not unison.alone_below_hz:
        return copies.weight
    together = np.clip(freq_hz / unison.alone_below_hz - 0.5, 0, 1)
    loudest = copies.place == np.argmax([copy.weight for copy in unison.copies])
    return np.asarray(np.sqrt(together * copies.weight**2 + (1 - together) * loudest))


def _power(copies: tuple[Copy, ...]) -> float:
    return float(np.sqrt(sum(copy.weight**2 for copy in copies))) or 1.0


def _morph_db(patch: Patch, f0: float, freq_hz: Float64Array, index: NDArray[np.intp]) -> Float64Array:
    """Levels in the three spectra that the patch morphs between, all of the same power."""
    if patch.morph is None:
        return np.zeros((len(freq_hz), SPECTRA))
    if patch.morph.spectra == "vowels":
        return formants.levels_db(f0, freq_hz, patch.morph.tract)
    levels = np.array(patch.morph.spectra)[:, index].T
    power = np.sum(10 ** (np.array(patch.morph.spectra) / 10), axis=1)
    return np.asarray(levels - 10 * np.log10(power))


def _audible(partials: Partials, rate_hz: int) -> NDArray[np.bool_]:
    level_db = 20 * np.log10(np.maximum(partials.gain, 1e-9)) + partials.morph_db.max(axis=1)
    loud = level_db > level_db.max(initial=-np.inf) + INAUDIBLE_DB
    return np.asarray(loud & (partials.freq_hz < _HIGHEST * rate_hz))
