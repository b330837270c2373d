"""The partials of a note, as its patch says: what stands still about them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.patches.schema import Copy, Harmonics, Modes, Patch, Resonance, Unison
from services.synth.voices import formants
from services.synth.voices.playing import MIDDLE_C_HZ, Playing

Array = NDArray[np.float64]

# Partials above this share of the sample rate are left out: nothing can alias.
_HIGHEST: Final = 0.45
# Partials this far under the loudest one are left out.
INAUDIBLE_DB: Final = -90.0
SPECTRA: Final = 3


@dataclass(frozen=True, slots=True)
class Partials:
    """One element a partial; ``number`` counts from 1 within a copy, ``copy`` says which one."""

    number: NDArray[np.intp]
    copy: NDArray[np.intp]
    freq_hz: Array
    gain: Array
    pan: Array
    morph_db: Array  # [partial, spectrum]

    @property
    def copies(self) -> int:
        """How many copies there are."""
        return int(self.copy.max(initial=0)) + 1

    def where(self, keep: NDArray[np.bool_]) -> "Partials":
        """Those partials only."""
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
    copies, number = _copies(patch.unison, len(ratios))
    detune_cents, weight = _detuned(patch.unison, copies, f0, draw)
    offsets = np.array(getattr(patch.partials, "offsets_hz", ()) or [0.0] * len(ratios))
    index = number - 1
    freq = (f0 * ratios + offsets)[index] * 2 ** (detune_cents / 1200)
    which = np.array([place for _, place in copies])
    weight = _alone(patch.unison, which, freq, weight)
    gain = 10 ** ((levels_db[index] + _resonant_db(patch.resonances, freq)) / 20) * weight
    pan = np.array([copy.pan for copy, _ in copies])
    morph_db = _morph_db(patch, f0, freq, index)
    found = Partials(number, which, freq, gain, pan, morph_db)
    return found.where(_audible(found, playing.audio.sample_rate_hz))


def _none() -> Partials:
    empty, index = np.zeros(0), np.zeros(0, dtype=np.intp)
    return Partials(index, index, empty, empty, empty, np.zeros((0, SPECTRA)))


def _series(partials: Harmonics | Modes, f0: float, draw: np.random.Generator) -> tuple[Array, Array]:
    """Ratios and levels (dB) of one copy."""
    if isinstance(partials, Modes):
        ratios, levels = np.array(partials.ratios), np.array(partials.levels_db)
    else:
        ratios, levels = _harmonic(partials, f0)
    return ratios, levels + draw.normal(0.0, 1.0, len(ratios)) * partials.spread_db


def _harmonic(partials: Harmonics, f0: float) -> tuple[Array, Array]:
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


def _resonant_db(resonances: tuple[Resonance, ...], freq_hz: Array) -> Array:
    bells = [
        resonance.level_db / (1 + (2 * (freq_hz - resonance.hz) / resonance.width_hz) ** 2)
        for resonance in resonances
    ]
    return np.asarray(sum(bells, np.zeros(len(freq_hz))))


def _copies(unison: Unison, count: int) -> tuple[list[tuple[Copy, int]], NDArray[np.intp]]:
    """Each partial's copy (and its place among all copies) and number."""
    lower = min(unison.upper_from - 1, count) if unison.upper else count
    parts = [(copy, place, range(1, lower + 1)) for place, copy in enumerate(unison.copies)]
    first = len(unison.copies)
    parts += [(copy, first + i, range(lower + 1, count + 1)) for i, copy in enumerate(unison.upper)]
    spread = [(copy, place) for copy, place, numbers in parts for _ in numbers]
    return spread, np.array([n for _, _, numbers in parts for n in numbers], dtype=np.intp)


def _detuned(
    unison: Unison, copies: list[tuple[Copy, int]], f0: float, draw: np.random.Generator
) -> tuple[Array, Array]:
    """Cents and weight of each partial; both sets of copies have unit power."""
    all_copies = [*unison.copies, *unison.upper]
    chance = draw.normal(0.0, 1.0, len(all_copies)) * unison.spread_cents
    low, high = _power(unison.copies), _power(unison.upper)
    power = [low] * len(unison.copies) + [high] * len(unison.upper)
    least = 1200 * np.log2(1 + unison.beat_hz / f0)
    tracking = (200.0 / f0) ** unison.tracking
    place = np.array([p for _, p in copies])
    cents = np.array([copy.cents * tracking + chance[p] for copy, p in copies])
    weight = np.array([copy.weight / power[p] for copy, p in copies])
    return cents + least * place, weight


def _alone(unison: Unison, place: NDArray[np.intp], freq_hz: Array, weight: Array) -> Array:
    """Lows beat too slowly and too deeply to be doubled: there the loudest copy has all of the power."""
    if not unison.alone_below_hz:
        return weight
    together = np.clip(freq_hz / unison.alone_below_hz - 0.5, 0, 1)
    loudest = place == np.argmax([copy.weight for copy in unison.copies])
    return np.asarray(np.sqrt(together * weight**2 + (1 - together) * loudest))


def _power(copies: tuple[Copy, ...]) -> float:
    return float(np.sqrt(sum(copy.weight**2 for copy in copies))) or 1.0


def _morph_db(patch: Patch, f0: float, freq_hz: Array, index: NDArray[np.intp]) -> Array:
    """Levels in the three spectra that the patch moves between, each of the same power."""
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
