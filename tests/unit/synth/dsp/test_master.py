"""The last steps to 16 bit: saturation, crossfade, dither."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import master

AUDIO = AudioFormat()


def harmonic_db(peak: float, number: int) -> float:
    """The level of a harmonic of a saturated sine of ``peak``, relative to its fundamental."""
    sine = peak * np.sin(2 * np.pi * 50 * np.arange(4410) / 4410)
    spectrum = np.abs(np.fft.rfft(master.saturate(sine.astype(np.float32)[None])[0].astype(np.float64)))
    return float(20 * np.log10(spectrum[50 * number] / spectrum[50]))


def as_integers(pcm: bytes) -> NDArray[np.int16]:
    """PCM as ``[ear, frame]``."""
    return np.frombuffer(pcm, "<i2").reshape(-1, 2).T


@pytest.mark.parametrize(("peak", "at_most_db"), [(0.125, -75), (0.5, -52), (1.0, -40)])
def test_saturation_adds_little_but_a_third_harmonic(peak: float, at_most_db: float) -> None:
    """At the peaks of -18 LUFS the third is far under -60 dB; fifth and seventh never appear."""
    assert harmonic_db(peak, 3) < at_most_db
    assert max(harmonic_db(peak, number) for number in (2, 4, 5, 7)) < -110


def test_saturation_is_bounded_odd_and_never_folds_back() -> None:
    """However loud the mix, the output is at most 6 dB over full scale and never falls as the input rises."""
    ramp = np.linspace(-20, 20, 9999, dtype=np.float32)[None]
    bent = master.saturate(ramp)
    assert np.abs(bent).max() <= 2.0 + 1e-6
    assert np.array_equal(bent, -master.saturate(-ramp))
    assert np.diff(bent).min() >= -1e-6


def test_saturation_leaves_its_input_alone() -> None:
    """Mixes are kept for the chunks that follow."""
    mix = np.full((2, 8), 5.0, np.float32)
    master.saturate(mix)
    assert np.all(mix == 5.0)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_dither_is_triangular_and_depends_on_seed_and_chunk(rate_hz: int) -> None:
    """±1 LSB with a triangle's variance (1/6) and no mean; another chunk, seed or ear has different noise."""
    audio = AudioFormat(rate_hz)
    noise = master.dither(7, 3, audio)
    assert noise.shape == (2, audio.frames_per_chunk)
    assert np.abs(noise).max() <= 1.0
    assert abs(noise.var() - 1 / 6) < 0.01
    assert abs(noise.mean()) < 0.02
    assert np.array_equal(noise, master.dither(7, 3, audio))
    assert abs(np.corrcoef(noise.ravel(), master.dither(7, 4, audio).ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noise.ravel(), master.dither(8, 3, audio).ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.05


def test_dither_is_white() -> None:
    """No frequency of 400 chunks' noise stands out: every sixteenth of the band within 0.2 dB."""
    noise = np.concatenate([master.dither(1, seq, AUDIO)[0] for seq in range(400)])
    power = np.abs(np.fft.rfft(noise.reshape(400, -1), axis=1)[:, 1:]) ** 2
    bands = [band.mean() for band in np.array_split(power.mean(axis=0), 16)]
    assert np.abs(10 * np.log10(np.array(bands) / np.mean(bands))).max() < 0.2


def test_dither_makes_the_error_independent_of_the_signal() -> None:
    """A sine of a quarter LSB survives as its mean instead of vanishing in rounding."""
    sine = np.sin(2 * np.pi * np.arange(AUDIO.frames_per_chunk) / 4410)
    quiet = np.stack([sine, sine]).astype(np.float32) * np.float32(0.25 / 32767)
    pcm = [master.to_pcm(quiet, master.dither(1, seq, AUDIO)) for seq in range(40)]
    left = np.mean([as_integers(chunk)[0] for chunk in pcm], axis=0)
    assert abs(2 * np.mean(left * sine) - 0.25) < 0.05


def test_pcm_alternates_between_left_and_right() -> None:
    """Frame by frame, left before right, little-endian."""
    samples = np.array([[0, 1 / 32767, 2 / 32767], [-1 / 32767, 256 / 32767, 0]], np.float32)
    pcm = master.to_pcm(samples, np.zeros((2, 3), np.float32))
    assert pcm == bytes.fromhex("0000 ffff 0100 0001 0200 0000")


def test_pcm_clips_instead_of_wrapping() -> None:
    """A sample beyond full scale is the largest integer, not its wrap-around."""
    pcm = master.to_pcm(np.array([[1.5], [-1.5]], np.float32), np.zeros((2, 1), np.float32))
    assert as_integers(pcm).ravel().tolist() == [32767, -32768]


def test_crossfade_begins_with_the_old_and_ends_with_the_new() -> None:
    """The first sample is the old one within a step; after the fade there is only the new one."""
    old, new = np.full((2, 100), 1.0, np.float32), np.full((2, 100), -1.0, np.float32)
    mixed = master.crossfade(old, new, 20)
    assert np.all(mixed[:, 0] > 0.9)
    assert np.all(mixed[:, 20:] == -1.0)
    assert np.abs(np.diff(mixed)).max() <= 0.101
