"""Upsampling against the sine that it should give: flat, without images, without a seam."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.dsp.upsampling import upsample

Array = NDArray[np.float64]
SHARES = (0.0, 0.0007, 0.01, 0.03, 0.05, 0.065, grid.COARSE_BELOW)


def sine(freq_hz: float, frames: NDArray[np.int64], rate_hz: int) -> Array:
    return np.asarray(np.cos(2 * np.pi * freq_hz * frames / rate_hz + 0.3))


def upsampled(freq_hz: float, seq: int, audio: AudioFormat) -> Array:
    """Chunk ``seq`` of a sine that is computed on the coarse grid, margins included."""
    on = grid.coarse(audio)
    coarse = (np.arange(on.all_blocks * on.block) - on.margin * on.block) * on.divisor
    samples = sine(freq_hz, coarse + audio.start_frame(seq), audio.sample_rate_hz).astype(np.float32)
    return upsample(torch.from_numpy(samples)[None], on)[0].numpy().astype(float)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("share", SHARES)
def test_a_sine_comes_out_as_at_the_full_rate(share: float, rate_hz: int) -> None:
    """From 0 Hz to the highest coarse partial nothing (level, phase, images) is off by over -90 dB."""
    audio = AudioFormat(rate_hz)
    expected = sine(share * rate_hz, np.arange(audio.frames_per_chunk), rate_hz)
    assert 20 * np.log10(np.abs(upsampled(share * rate_hz, 0, audio) - expected).max()) < -90


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_images_are_90_db_down(rate_hz: int) -> None:
    """Of a sine at the highest coarse frequency nothing is left around multiples of the coarse rate."""
    audio = AudioFormat(rate_hz)
    freq_hz = round(0.07 * rate_hz / 10) * 10.0  # whole periods in a chunk
    spectrum = np.abs(np.fft.rfft(upsampled(freq_hz, 0, audio)))
    line = round(freq_hz / 10)
    others = np.delete(spectrum, line)
    assert 20 * np.log10(others.max() / spectrum[line]) < -90


def test_chunks_join() -> None:
    """Neighbouring chunks are pieces of one sine: at their border it bends no more than elsewhere."""
    audio = AudioFormat()
    both = np.concatenate([upsampled(1234.5, seq, audio) for seq in (3, 4)])
    expected = sine(1234.5, np.arange(2 * audio.frames_per_chunk) + audio.start_frame(3), 44_100)
    assert np.abs(both - expected).max() < 3e-5


def test_what_lies_beyond_the_filter_does_not_matter() -> None:
    """Only the chunk and 12 coarse samples around it are heard: chunks are the same wherever one begins."""
    on = grid.coarse(AudioFormat())
    draw = np.random.default_rng(1)
    samples = draw.standard_normal((1, on.all_blocks * on.block)).astype(np.float32)
    other = samples.copy()
    reach = on.margin * on.block - 12
    other[:, :reach] = other[:, len(other[0]) - reach :] = 9.0
    assert torch.equal(upsample(torch.from_numpy(samples), on), upsample(torch.from_numpy(other), on))
