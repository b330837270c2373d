"""The way to 16 bit: ceiling, dither, crossfade."""

import numpy as np
import torch

from auralis.audio import AudioFormat
from services.synth.dsp import master

AUDIO = AudioFormat()


def test_no_input_passes_the_ceiling() -> None:
    """However loud the mix, samples stay within -1 dBFS."""
    loud = master.saturate(torch.linspace(-20, 20, 9999))
    assert loud.abs().max() <= 10 ** (-1 / 20) + 2e-3


def test_quiet_input_passes_untouched() -> None:
    """At -40 dBFS the third harmonic of the saturation is under -90 dB of the signal."""
    x = 0.01 * torch.sin(torch.linspace(0, 200 * torch.pi, 10_000, dtype=torch.float64))
    error = master.saturate(x) - x
    assert 20 * torch.log10(error.abs().max() / 0.01) < -85


def test_dither_is_triangular_and_of_its_seed_and_chunk() -> None:
    """±1 LSB with the variance of a triangle (1/6), no mean; another chunk or seed has other noise."""
    noise = master.dither(7, 3, AUDIO)
    assert np.abs(noise).max() <= 1.0
    assert abs(noise.var() - 1 / 6) < 0.01
    assert abs(noise.mean()) < 0.02
    assert np.array_equal(noise, master.dither(7, 3, AUDIO))
    assert abs(np.corrcoef(noise.ravel(), master.dither(7, 4, AUDIO).ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noise.ravel(), master.dither(8, 3, AUDIO).ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.05


def test_dither_frees_the_error_from_the_signal() -> None:
    """A sine of a quarter LSB survives as its mean instead of vanishing in rounding."""
    n = np.arange(AUDIO.frames_per_chunk)
    quiet = np.stack([np.sin(2 * np.pi * n / 4410)] * 2, axis=1).astype(np.float32) * np.float32(0.25 / 32767)
    pcm = np.mean(
        [
            np.frombuffer(master.to_pcm(quiet, master.dither(1, seq, AUDIO)), "<i2").reshape(-1, 2)
            for seq in range(40)
        ],
        axis=0,
    )
    amplitude = 2 * np.mean(pcm[:, 0] * np.sin(2 * np.pi * n / 4410))
    assert abs(amplitude - 0.25) < 0.05


def test_pcm_clips_instead_of_wrapping() -> None:
    """A sample beyond full scale is the largest integer, not its wrap-around."""
    pcm = master.to_pcm(np.array([[1.5, -1.5]], dtype=np.float32), np.zeros((1, 2), dtype=np.float32))
    assert np.frombuffer(pcm, "<i2").tolist() == [32767, -32768]


def test_crossfade_begins_with_the_old_and_ends_with_the_new() -> None:
    """The first sample is the old one within a step, after the fade there is only the new one."""
    old, new = np.full((100, 2), 1.0, np.float32), np.full((100, 2), -1.0, np.float32)
    mixed = master.crossfade(old, new, 20)
    assert mixed[0, 0] > 0.9
    assert np.all(mixed[20:] == -1.0)
    assert np.abs(np.diff(mixed[:, 0])).max() <= 0.101
