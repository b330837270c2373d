"""Upsampling against the sine that it should give: flat, without images, without a seam."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import SUPPORT, trimmed, upsample

Array = NDArray[np.float64]
Build = Callable[[AudioFormat], Grid]
COARSER = (grid.coarse, grid.middle)
# From 0 Hz to the highest partial that a grid holds.
SHARES = (0.0, 0.01, 0.15, 0.4, 0.68, 0.88, 1.0)


def sine(freq_hz: float, frames: NDArray[np.int64], rate_hz: int) -> Array:
    return np.asarray(np.cos(2 * np.pi * freq_hz * frames / rate_hz + 0.3))


def upsampled(freq_hz: float, seq: int, on: Grid) -> Array:
    """Chunk ``seq`` of a sine that is computed on a grid, margins included."""
    coarse = (np.arange(on.all_blocks * on.block) - on.margin * on.block) * on.divisor
    frames = coarse + on.audio.start_frame(seq)
    samples = sine(freq_hz, frames, on.audio.sample_rate_hz).astype(np.float32)
    around = trimmed(torch.from_numpy(samples)[None], on.margin * on.block)
    return upsample(around, on)[0].numpy().astype(float)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("build", COARSER)
@pytest.mark.parametrize("share", SHARES)
def test_a_sine_comes_out_as_at_the_full_rate(share: float, build: Build, rate_hz: int) -> None:
    """Nothing of it (level, phase, images) is off by over -90 dB."""
    on = build(AudioFormat(rate_hz))
    freq_hz = share * on.high * rate_hz
    expected = sine(freq_hz, np.arange(on.audio.frames_per_chunk), rate_hz)
    assert 20 * np.log10(np.abs(upsampled(freq_hz, 0, on) - expected).max()) < -90


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("build", COARSER)
def test_images_are_90_db_down(build: Build, rate_hz: int) -> None:
    """Of a sine at the highest frequency nothing is left around multiples of the grid's rate."""
    on = build(AudioFormat(rate_hz))
    line = int(on.high * rate_hz / 10)  # whole periods in a chunk
    spectrum = np.abs(np.fft.rfft(upsampled(10.0 * line, 0, on)))
    assert 20 * np.log10(np.delete(spectrum, line).max() / spectrum[line]) < -90


@pytest.mark.parametrize("build", COARSER)
def test_chunks_join(build: Build) -> None:
    """Neighbouring chunks are pieces of one sine."""
    on = build(AudioFormat())
    both = np.concatenate([upsampled(1234.5, seq, on) for seq in (3, 4)])
    frames = np.arange(2 * on.audio.frames_per_chunk) + on.audio.start_frame(3)
    assert np.abs(both - sine(1234.5, frames, 44_100)).max() < 3e-5


@pytest.mark.parametrize("build", COARSER)
def test_what_lies_beyond_the_filter_does_not_matter(build: Build) -> None:
    """Only the chunk and some samples around it are heard: chunks are the same wherever one begins."""
    on = build(AudioFormat())
    samples = torch.arange(on.all_blocks * on.block)
    margin = on.margin * on.block
    kept = trimmed(samples, margin)
    assert kept.tolist() == samples[margin - SUPPORT : margin + on.samples + SUPPORT].tolist()


def test_the_full_grid_is_at_the_full_rate() -> None:
    """It has no margin, and nothing is done to it."""
    on, samples = grid.full(AudioFormat()), torch.rand(2, 4410)
    assert trimmed(samples, 0) is samples
    assert upsample(samples, on) is samples
