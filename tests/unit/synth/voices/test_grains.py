"""Grains: how many, where, how long, and that each second of them is drawn independently."""

import numpy as np
import pytest

from services.synth.patches.schema import Envelope, Grains, Patch
from services.synth.voices.columns import Fast, Slow
from services.synth.voices.voice import Voice
from tests.unit.synth.players import CD, patch_of, voices_of_note

RAIN = Grains(rate_hz=10, level_db=-20, t60_s=(0.05, 0.4), hz=(1000, 4000))
SHIMMER = Grains(rate_hz=8, level_db=-20, t60_s=(0.1, 0.7), semitones=(12, 19))


def patch(grains: Grains) -> Patch:
    return patch_of(grains=grains, envelope=Envelope(attack_s=0.001, release_s=0.01))


def seconds_of_rain(grains: Grains, seconds: int, **note: float) -> list[Voice]:
    """The voices of the grains, without the note's own, empty one."""
    found = voices_of_note(patch(grains), seconds=seconds, **note)
    return [voice for voice in found if len(voice.rows)]


def test_the_rate_is_the_patchs() -> None:
    """Over 300 seconds the rate is the patch's, within three standard deviations."""
    count = sum(len(voice.rows) for voice in seconds_of_rain(RAIN, 300))
    assert count == pytest.approx(3000, abs=3 * 3000**0.5)


def test_the_rate_follows_intensity() -> None:
    """With three octaves of intensity the rate rises by 2^1.5 from 0 to 0.5, and again from 0.5 to 1."""
    grains = Grains(rate_hz=10, level_db=-20, t60_s=(0.05, 0.4), hz=(1000, 4000), intensity_octaves=3)
    levels = np.concatenate([v.rows.slow[:, Slow.FIRST :] for v in seconds_of_rain(grains, 200)])
    low, middle, high = (levels == 0).sum(axis=0)
    assert middle == pytest.approx(2000, rel=0.1)
    assert [middle / low, high / middle] == pytest.approx([2**1.5, 2**1.5], rel=0.15)


def test_drops_lie_between_their_limits() -> None:
    """Frequencies in hertz do not follow the note, and fill their range evenly in octaves."""
    freq = np.concatenate([voice.rows.freq_hz for voice in seconds_of_rain(RAIN, 100, pitch=40)])
    assert (freq.min() >= 1000, freq.max() <= 4000) == (True, True)
    assert np.mean(freq < 2000) == pytest.approx(0.5, abs=0.06)


def test_sparks_lie_on_their_intervals() -> None:
    """An octave or a twelfth above the note, at most five cents off."""
    freq = np.concatenate([voice.rows.freq_hz for voice in seconds_of_rain(SHIMMER, 40, pitch=69)])
    semitones = 12 * np.log2(freq / 440)
    assert np.abs(semitones - np.where(semitones < 15, 12, 19)).max() <= 0.0501


def test_no_grain_lies_above_the_limit_of_the_sample_rate() -> None:
    """Of a rain of overtones above the highest note, only frequencies that the rate can carry are left."""
    grains = Grains(rate_hz=20, level_db=-20, t60_s=(0.1, 0.7), semitones=(0, 36, 60), harmonics_db=(0, -6))
    freq = np.concatenate([voice.rows.freq_hz for voice in seconds_of_rain(grains, 20, pitch=96)])
    assert freq.max() < 0.45 * CD.sample_rate_hz


def test_grains_begin_in_their_second_and_end_with_their_voice() -> None:
    """A voice holds the grains of one second, and all are 80 dB down when it is silent."""
    for second, voice in enumerate(seconds_of_rain(RAIN, 5)):
        fast, timing = voice.rows.fast, voice.timing
        rings_s = CD.seconds(timing.silent - timing.at) - fast[:, Fast.DELAY_S]
        assert timing.at == second * CD.sample_rate_hz
        assert (fast[:, Fast.DELAY_S].min() >= 0, fast[:, Fast.DELAY_S].max() < 1) == (True, True)
        assert (rings_s * fast[:, Fast.FAST]).min() * 20 / np.log(10) > 80


def test_a_second_is_drawn_by_itself() -> None:
    """The third second of a long note equals a shorter note's: no grain depends on the grains before it."""
    long, short = seconds_of_rain(RAIN, 9)[2], seconds_of_rain(RAIN, 6)[2]
    assert np.array_equal(long.rows.freq_hz, short.rows.freq_hz)


def test_no_two_seconds_are_alike() -> None:
    """Each second is drawn by itself."""
    one, other = seconds_of_rain(RAIN, 6)[2:4]
    assert not np.array_equal(one.rows.freq_hz, other.rows.freq_hz)


def test_higher_grains_join_with_intensity() -> None:
    """Grains that sound at intensity 0 already are on average over an octave lower than the others."""
    grains = Grains(rate_hz=10, level_db=-20, t60_s=(0.05, 0.4), hz=(500, 8000), intensity_octaves=2)
    rows = [voice.rows for voice in seconds_of_rain(grains, 60)]
    octave = np.log2(np.concatenate([row.freq_hz for row in rows]))
    always = np.concatenate([row.slow[:, Slow.FIRST] == 0 for row in rows])
    assert octave[always].mean() < octave[~always].mean() - 1
