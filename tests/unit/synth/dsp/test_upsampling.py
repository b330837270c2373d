"""Upsampling against the sine that it should give: flat, without images, seamless."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import faded, trimmed, upsample
from tests.device import numpy_of, of_kind

Build = Callable[[AudioFormat], Grid]
COARSER = (grid.coarse, grid.middle)
# From 0 Hz to the highest partial that a grid holds.
SHARES = (0.0, 0.01, 0.15, 0.4, 0.68, 0.88, 1.0)


def sine(freq_hz: float, frames: NDArray[np.int64], rate_hz: int) -> Float64Array:
    return np.asarray(np.cos(2 * np.pi * freq_hz * frames / rate_hz + 0.3))


def around(on: Grid, spare: int = 0) -> NDArray[np.int64]:
    """Frames of a grid's samples, from the chunk's start: the samples needed, and ``spare`` more."""
    reach = on.around + spare
    return np.arange(-reach, on.samples + reach) * on.divisor


def upsampled(freq_hz: float, seq: int, on: Grid, kind: str = "numpy") -> Float64Array:
    """Chunk ``seq`` of a sine that was computed on a grid."""
    frames = around(on) + on.audio.start_frame(seq)
    samples = sine(freq_hz, frames, on.audio.sample_rate_hz).astype(np.float32)[None]
    found = upsample(of_kind(kind, samples), on)
    return numpy_of(found)[0].astype(float)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("build", COARSER)
@pytest.mark.parametrize("share", SHARES)
def test_a_sine_comes_out_as_at_the_full_rate(share: float, build: Build, rate_hz: int) -> None:
    """The error (level, phase, images) is under -90 dB."""
    on = build(AudioFormat(rate_hz))
    freq_hz = share * on.high * rate_hz
    expected = sine(freq_hz, np.arange(on.audio.frames_per_chunk), rate_hz)
    assert 20 * np.log10(np.abs(upsampled(freq_hz, 0, on) - expected).max()) < -90


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("build", COARSER)
def test_images_are_90_db_down(build: Build, rate_hz: int) -> None:
    """A sine at the highest frequency leaves nothing around multiples of the grid's rate."""
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
def test_an_accelerator_s_array_gives_the_same(build: Build) -> None:
    """Within 1e-6 for arrays of both kinds."""
    on = build(AudioFormat())
    assert np.abs(upsampled(1234.5, 3, on) - upsampled(1234.5, 3, on, "torch")).max() < 1e-6


@pytest.mark.parametrize("spare", [0, 3, 30])
@pytest.mark.parametrize("build", [*COARSER, grid.full])
def test_only_what_the_filter_needs_is_kept(build: Build, spare: int) -> None:
    """The chunk and the samples around it."""
    on = build(AudioFormat())
    assert np.array_equal(trimmed(around(on, spare)[None], on)[0], around(on))


@pytest.mark.parametrize("build", [*COARSER, grid.full])
def test_a_fade_goes_from_the_chunk_s_start_to_the_next_one_s(build: Build) -> None:
    """On a straight line, which goes on in the samples around the chunk."""
    on = build(AudioFormat())
    start, end = (
        np.full((2, len(around(on))), 3.0, np.float32),
        np.full((2, len(around(on))), 5.0, np.float32),
    )
    expected = 3.0 + 2.0 * around(on) / on.audio.frames_per_chunk
    for kind in ("numpy", "torch"):
        found = numpy_of(faded(of_kind(kind, start), of_kind(kind, end), on))
        assert np.allclose(found, expected, atol=1e-6)


def test_the_full_grid_is_at_the_full_rate() -> None:
    """It has no samples around the chunk, and its samples are returned as they are."""
    on, samples = grid.full(AudioFormat()), np.zeros((2, 4410), np.float32)
    assert upsample(samples, on) is samples
