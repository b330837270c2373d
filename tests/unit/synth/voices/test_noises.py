"""A note's noise: levels by octave, decays by octave, gates, gusts; measured on rendered audio."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from services.synth.dsp import noise
from services.synth.patches.schema import Envelope, Noise
from services.synth.voices.columns import Hiss
from services.synth.voices.noises import hiss_tables
from tests.unit.synth import oracle
from tests.unit.synth.players import CD, patch_of, playing_of, voices_of_note

FLAT = (0.0,) * 10
CENTRES_HZ = 31.25 * 2 ** np.arange(10)
RATE_HZ = CD.sample_rate_hz


def table(part: Noise, **note: float) -> NDArray[np.float32]:
    patch = patch_of(noises=(part,), envelope=Envelope(attack_s=0.01, release_s=0.5))
    return hiss_tables(playing_of(patch, **note))[0]


def rendered(part: Noise, seconds: float = 4.0, gate_s: float = 10.0) -> NDArray[np.float64]:
    patch = patch_of(noises=(part,), envelope=Envelope(attack_s=0.01, release_s=0.5))
    voices = voices_of_note(patch, velocity=1.0, seconds=gate_s)
    return oracle.rendered(voices, 0, round(10 * seconds), CD)


def octave_db(samples: NDArray[np.float64], centre_hz: float) -> float:
    freq, density = signal.welch(samples, RATE_HZ, nperseg=16_384)
    inside = (freq >= centre_hz / 2**0.5) & (freq < centre_hz * 2**0.5)
    return float(10 * np.log10(density[inside].sum() * freq[1]))


def test_octaves_have_the_levels_of_the_patch() -> None:
    """Levels that fall by 3 dB per octave are measured so, within 1 dB; each ear has half of the power."""
    levels = tuple(float(-3 * index) for index in range(10))
    audio = rendered(Noise(level_db=0, octaves_db=levels))[:, RATE_HZ // 10 :]
    found = [np.mean([octave_db(ear, hz) for ear in audio]) + 3.01 for hz in CENTRES_HZ[2:9]]
    assert found == pytest.approx(levels[2:9], abs=1.0)


def test_half_octaves_share_their_octaves_power() -> None:
    """In a flat spectrum at level 0 each half octave has a power of one half."""
    gains = table(Noise(level_db=0, octaves_db=FLAT), velocity=1.0)[:, Hiss.GAIN]
    assert gains == pytest.approx(np.full(noise.BANDS, 0.5**0.5), rel=1e-5)


def test_noise_may_follow_the_pitch() -> None:
    """For a note an octave higher the same spectrum lies an octave higher."""
    levels = tuple(-10.0 * abs(index - 5) for index in range(10))
    following = Noise(level_db=0, octaves_db=levels, follows_pitch=True)
    low, high = (int(table(following, pitch=pitch)[:, Hiss.GAIN].argmax()) for pitch in (60, 72))
    assert high - low == 2


@pytest.mark.parametrize("index", [3, 5, 7])
def test_octaves_decay_by_their_own_times(index: int) -> None:
    """A T60 of its own in every octave is measured as a slope, within 10 %."""
    times = tuple(0.9 - 0.08 * octave for octave in range(10))
    quiet = tuple(0.0 if octave == index else -100.0 for octave in range(10))
    audio = rendered(Noise(level_db=0, octaves_db=quiet, t60_s=times, attack_s=0.005), seconds=0.6)
    power = np.mean(audio**2, axis=0)[: int(0.5 * RATE_HZ)].reshape(25, -1).mean(axis=1)
    slope = np.polyfit(0.02 * np.arange(2, 25), 10 * np.log10(power[2:]), 1)[0]
    assert -60 / slope == pytest.approx(times[index], rel=0.1)


def test_struck_noise_does_not_depend_on_the_gate() -> None:
    """A short note's contact noise is the same as a long note's."""
    struck = Noise(level_db=0, octaves_db=FLAT, t60_s=(0.5,))
    short, long = rendered(struck, 1, gate_s=0.05), rendered(struck, 1, gate_s=5)
    assert np.std(short - long) < 0.01 * np.std(long)


def test_sustained_noise_ends_with_its_note() -> None:
    """After gate and release nothing is left."""
    audio = rendered(Noise(level_db=0, octaves_db=FLAT), 2, gate_s=0.5)
    assert np.std(audio[:, : RATE_HZ // 2]) > 0.5
    assert not audio[:, int(1.1 * RATE_HZ) :].any()


def test_a_swell_opens_upwards() -> None:
    """Higher octaves begin later; all are at full level at the end of the rise."""
    swell = table(Noise(level_db=0, octaves_db=FLAT, attack_s=3, opening=0.15, t60_s=(5,)))
    begins, full = swell[:, Hiss.DELAY_S], swell[:, Hiss.DELAY_S] + swell[:, Hiss.ATTACK_S]
    assert begins[16] == pytest.approx(3 * 0.15 * 3, rel=1e-3)
    assert not begins[:11].any()
    assert full == pytest.approx(np.full(noise.BANDS, 3.0), rel=1e-5)


def test_gusts_never_reach_silence() -> None:
    """A gust of 6 dB moves the level by at most 6 dB to either side."""
    audio = rendered(Noise(level_db=0, octaves_db=FLAT, gust_db=6, gust_hz=1.0), 6)
    power = np.mean(audio[:, RATE_HZ // 10 :] ** 2, axis=0)
    smooth_db = 10 * np.log10(power[: len(power) // 4410 * 4410].reshape(-1, 4410).mean(axis=1))
    assert 6 < np.ptp(smooth_db) < 13.5


def test_a_short_burst_decays_at_its_rate() -> None:
    """Although shorter than a chunk, it falls at its own rate: by 30 dB in half of its T60."""
    audio = rendered(Noise(level_db=0, octaves_db=FLAT, t60_s=(0.08,), attack_s=0.005), 0.2)
    power = np.mean(audio**2, axis=0)
    early, late = (power[int(a * RATE_HZ) : int((a + 0.01) * RATE_HZ)].mean() for a in (0.01, 0.05))
    assert 10 * np.log10(late / early) == pytest.approx(-30, abs=2)


def test_panning_keeps_the_power() -> None:
    """Panned noise has unequal levels in the ears and the same power."""
    found = table(Noise(level_db=0, octaves_db=FLAT, pan=0.5))
    assert found[0, Hiss.LEFT] < found[0, Hiss.RIGHT]
    assert found[0, Hiss.LEFT] ** 2 + found[0, Hiss.RIGHT] ** 2 == pytest.approx(1.0)


def test_a_patch_without_noise_has_none() -> None:
    """Tables of no noise."""
    assert hiss_tables(playing_of(patch_of())).shape == (0, noise.BANDS, len(Hiss))


def test_gusts_reach_higher_octaves_later_and_further() -> None:
    """By the lag and the decibels per octave that the patch gives."""
    found = table(
        Noise(level_db=0, octaves_db=FLAT, gust_db=3, gust_hz=0.1, gust_octave_db=1, gust_lag_s=0.5)
    )
    depth = found[:, Hiss.GUST] * 20 / np.log(10)
    assert depth[6:] == pytest.approx(3 + np.arange(14) / 2)
    lag_s = -np.diff(found[::2, Hiss.GUST_TURNS]) / found[0, Hiss.GUST_HZ]
    assert lag_s == pytest.approx(0.5, abs=1e-4)


def test_the_depth_of_gusts_is_never_negative() -> None:
    """Octaves so low that the depth of their gusts would be negative have none."""
    found = table(Noise(level_db=0, octaves_db=FLAT, gust_db=1, gust_octave_db=2))
    assert found[:, Hiss.GUST].min() == 0
