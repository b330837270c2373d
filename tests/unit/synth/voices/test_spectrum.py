"""Partials: their frequencies, their levels, and which of them are left out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.patches.library import library
from services.synth.patches.schema import Copy, Harmonics, Modes, Morph, Resonance, Unison
from services.synth.voices.spectrum import Partials, partials_of
from tests.unit.synth.players import patch_of, playing_of

FOUR = Harmonics(count=4, exponent=0)
PAIR = (Copy(cents=-4, weight=0.8, pan=-0.5), Copy(cents=4, weight=0.2, pan=0.5))


def partials(pitch: float = 60.0, **parts: object) -> Partials:
    return partials_of(playing_of(patch_of(**parts), pitch=pitch))


def levels_db(found: Partials) -> NDArray[np.float64]:
    return np.asarray(20 * np.log10(found.gain))


def stiffness(found: Partials) -> float:
    """B of ``f_n = n f sqrt(1 + B n^2)`` (Fletcher 1964): ``(f_n / n)^2`` is a straight line over ``n^2``."""
    slope, offset = np.polyfit(found.number**2.0, (found.freq_hz / found.number) ** 2, 1)
    return float(slope / offset)


@pytest.mark.parametrize(("pitch", "expected"), [(60, 0.00029), (68, 0.00058), (84, 0.00232), (28, 0.00007)])
def test_partials_of_a_stiff_string(pitch: float, expected: float) -> None:
    """Inharmonicity is the patch's at middle C, doubles every eight semitones and has a lower bound."""
    string = Harmonics(count=12, stretch=0.00029, stretch_semitones=8, stretch_least=0.00007)
    found = partials(pitch, partials=string)
    assert stiffness(found) == pytest.approx(expected, rel=0.01)
    assert found.freq_hz[0] == pytest.approx(440 * 2 ** ((pitch - 69) / 12))


def test_a_soft_string_is_harmonic() -> None:
    """Without stiffness, partial n lies at n times the fundamental."""
    found = partials(partials=Harmonics(count=20))
    assert found.freq_hz == pytest.approx(261.6256 * np.arange(1, 21), rel=1e-6)


def test_levels_fall_by_their_power() -> None:
    """``n^-1.25`` is 7.5 dB per octave; even partials are lower by the patch's ``even_db``."""
    found = levels_db(partials(partials=Harmonics(count=8, exponent=1.25, even_db=-12)))
    assert found[[0, 2, 7]] == pytest.approx([0, -25 * np.log10(3), -25 * np.log10(8) - 12])


def test_a_string_struck_in_its_middle_has_no_even_partials() -> None:
    """A mode can't be excited at its node."""
    found = partials(partials=Harmonics(count=12, pluck=0.5, pluck_floor=0.0))
    assert set(found.number.tolist()) == {1, 3, 5, 7, 9, 11}


def test_modes_lie_at_their_ratios_and_offsets() -> None:
    """A ratio of the fundamental, and hertz that do not follow the pitch."""
    modes = Modes(ratios=(0.5, 1, 2.7), levels_db=(0, 0, 0), offsets_hz=(0, 0.6, 2))
    assert partials(81, partials=modes).freq_hz == pytest.approx([440, 880.6, 2378])


@pytest.mark.parametrize("pitch", [36, 60, 96])
def test_copies_together_have_the_power_of_one(pitch: float) -> None:
    """However many copies there are, lower or upper, each partial keeps its power."""
    unison = Unison(copies=PAIR, upper=(Copy(), Copy(cents=6, weight=0.5), Copy(cents=-5)), upper_from=4)
    found = partials(pitch, partials=Harmonics(count=8), unison=unison)
    power = np.bincount(found.number, weights=found.gain**2)[1:]
    assert 10 * np.log10(power) == pytest.approx(-20 * np.log10(np.arange(1, len(power) + 1)))
    assert np.bincount(found.number)[1:].tolist() == [2, 2, 2, 3, 3, 3, 3, 3][: len(power)]


@pytest.mark.parametrize("pitch", [24, 60, 96])
def test_copies_beat_no_slower_than_beat_hz(pitch: float) -> None:
    """However low the note, the fundamentals of two copies are at least ``beat_hz`` apart."""
    found = partials(pitch, partials=Harmonics(count=1), unison=Unison(copies=PAIR, beat_hz=0.5))
    assert np.ptp(found.freq_hz) > 0.5


def test_detune_shrinks_with_pitch() -> None:
    """With tracking 1 the copies beat equally fast at any pitch."""
    unison = Unison(copies=PAIR, tracking=1.0)
    beats = [np.ptp(partials(p, partials=Harmonics(count=1), unison=unison).freq_hz) for p in (48, 72)]
    assert beats[0] == pytest.approx(beats[1], rel=1e-3)


def test_morphed_spectra_have_the_same_power() -> None:
    """None of the three spectra is louder than the others, whatever their levels."""
    spectra = ((0.0, -6.0, -12.0), (-20.0, 0.0, 0.0), (6.0, 6.0, 6.0))
    found = partials(partials=Harmonics(count=3, exponent=0), morph=Morph(spectra=spectra))
    assert np.sum(10 ** (found.morph_db / 10), axis=0) == pytest.approx(np.ones(3))


def test_partials_90_db_down_are_left_out() -> None:
    """Partials that nobody hears cost nothing."""
    modes = Modes(ratios=(1, 2, 3), levels_db=(0, -89, -91))
    assert partials(partials=modes).number.tolist() == [1, 2]


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", sorted(library()))
def test_no_partial_lies_above_045_of_the_sample_rate(name: str, rate_hz: int) -> None:
    """At any pitch, of any patch."""
    audio = AudioFormat(rate_hz)
    found = [partials_of(playing_of(library()[name], audio=audio, pitch=pitch)) for pitch in (0, 60, 96, 127)]
    assert all(partials.freq_hz.max(initial=0.0) < 0.45 * rate_hz for partials in found)


def test_chance_depends_on_the_draw_alone() -> None:
    """The same draw gives the same levels, another gives different ones, with the patch's deviation."""
    spread = Harmonics(count=64, exponent=0, spread_db=2)
    one, same, other = (
        partials_of(playing_of(patch_of(partials=spread), seed=s, pitch=30)) for s in (1, 1, 2)
    )
    assert np.array_equal(one.gain, same.gain)
    assert not np.allclose(one.gain, other.gain)
    assert np.std(levels_db(one)) == pytest.approx(2.0, abs=0.5)


def test_the_body_raises_partials_near_its_formants() -> None:
    """By all decibels at the centre, by half of them at the edges of the width, whatever the note."""
    body = (Resonance(hz=440, level_db=6, width_hz=440),)
    level = dict(
        zip((220, 440, 660, 880), levels_db(partials(57, partials=FOUR, resonances=body)), strict=True)
    )
    assert level == pytest.approx({220: 3.0, 440: 6.0, 660: 3.0, 880: 1.2}, abs=0.01)
    assert levels_db(partials(69, partials=FOUR, resonances=body))[0] == pytest.approx(6.0)


@pytest.mark.parametrize("pitch", [36, 45, 50, 57, 69])
def test_low_partials_have_the_loudest_copy_alone(pitch: float) -> None:
    """Below half of the frequency the others are gone; above one and a half times it all are as usual."""
    found = partials(pitch, partials=FOUR, unison=Unison(copies=PAIR, alone_below_hz=160))
    other = np.unique(found.freq_hz[found.copy == 1].round())
    usual = partials(pitch, partials=FOUR, unison=Unison(copies=PAIR))
    assert (other > 80).all()
    power = [(of.gain[of.number == 4] ** 2).sum() for of in (found, usual)]
    assert power[0] == pytest.approx(power[1])
    high = usual.freq_hz > 242
    assert found.gain[found.freq_hz > 242] == pytest.approx(usual.gain[high])
