"""Noise bands: power, spectra, coherence of the ears; a frame does not depend on the chunk's start."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid, noise
from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.upsampling import trimmed, upsample
from tests.device import DEVICE, numpy_of, of_kind

ALL = range(noise.BANDS)
CHUNKS = 40

kinds = pytest.mark.parametrize("kind", ["numpy", "torch"])
grids = pytest.mark.parametrize(("build", "which"), [(grid.coarse, range(6, 9)), (grid.full, range(15, 18))])


def bands(which: range, chunks: int, rate_hz: int = 44_100, seed: int = 7) -> Float64Array:
    """``chunks`` chunks of bands at the full rate: ``[ear, band, frame]``."""
    audio = AudioFormat(rate_hz)
    found = []
    for on in (grid.coarse(audio), grid.full(audio)):
        if here := range_on(which, on):
            pieces = [at_full_rate(seed, audio.start_frame(seq), here, on) for seq in range(chunks)]
            found.append(np.concatenate(pieces, axis=2))
    return np.concatenate(found, axis=1).astype(float)


def range_on(which: range, on: grid.Grid) -> range:
    """The neighbouring bands that are on one of the grids."""
    here = [band for band in which if noise.grid_of(band, on.audio) is on]
    return range(here[0], here[-1] + 1) if here else range(0)


def at_full_rate(seed: int, start_frame: int, which: range, on: grid.Grid) -> NDArray[np.float32]:
    """``[ear, band, frame]``."""
    samples = trimmed(noise.bands(seed, start_frame, which, on), on)
    found = upsample(samples.reshape(-1, samples.shape[-1]), on)
    return np.asarray(found.reshape(*samples.shape[:2], -1))


def power_db(signal: Float64Array) -> Float64Array:
    return np.asarray(10 * np.log10(np.mean(signal**2, axis=-1)))


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_band_has_unit_power(rate_hz: int) -> None:
    """Over 4 s every band that lies under 0.45 of the rate has a power of 1 within 1 dB."""
    inside = range(2, int((noise.centres_hz() * 2**0.5 < 0.45 * rate_hz).sum()))
    assert np.abs(power_db(bands(inside, CHUNKS, rate_hz))).max() < 1.0


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_nothing_lies_outside_a_band(rate_hz: int) -> None:
    """Half an octave from its centre a band is 60 dB down (the limit of a finite measurement)."""
    band = 10
    samples = bands(range(band, band + 1), CHUNKS, rate_hz)[0, 0]
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    octaves = np.abs(np.log2(np.fft.rfftfreq(len(samples), 1 / rate_hz)[1:] / noise.centres_hz()[band]))
    assert 10 * np.log10(spectrum[1:][octaves > 0.55].max() / spectrum.max()) < -60


def test_neighbours_add_up_to_a_flat_spectrum() -> None:
    """Bands of equal density per hertz make white noise: flat within 1 dB from 200 Hz to 8 kHz."""
    gains = np.sqrt(noise.centres_hz())
    samples = np.einsum("b,bn->n", gains, bands(ALL, 100)[0])
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    freq = np.fft.rfftfreq(len(samples), 1 / 44_100)
    edges = 200 * 2 ** (np.arange(17) / 3)
    density = [spectrum[(freq >= a) & (freq < b)].mean() for a, b in pairwise(edges)]
    assert np.ptp(10 * np.log10(density)) < 2.0


def test_ears_are_as_coherent_as_in_a_diffuse_field() -> None:
    """Left and right correlate as :func:`coherences` says: fully in the lows, by 0.3 in the highs."""
    left, right = bands(ALL, 100)
    found = np.mean(left * right, axis=1) / np.sqrt(np.mean(left**2, axis=1) * np.mean(right**2, axis=1))
    assert np.abs(found - noise.coherences())[4:].max() < 0.12
    assert np.allclose(found[:5], 1.0)
    assert noise.coherences()[-1] == pytest.approx(0.3)


def test_bands_are_independent() -> None:
    """Bands that do not overlap have nothing in common."""
    left = bands(range(8, 18), 100)[0, ::2]
    assert np.abs(np.corrcoef(left) - np.eye(5)).max() < 0.05


@pytest.mark.parametrize("build", [grid.coarse, grid.full])
def test_a_frame_does_not_depend_on_the_chunk_s_start(build: Callable[[AudioFormat], grid.Grid]) -> None:
    """A chunk that begins in the middle of another one holds the same samples."""
    on = build(AudioFormat())
    which = range_on(ALL, on)
    early, late = (noise.bands(7, frame, which, on) for frame in (4410, 4410 + 2100))
    moved = 2100 // on.divisor
    assert np.array_equal(early[:, :, moved:], late[:, :, :-moved])


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_every_band_lies_on_a_grid_that_holds_it(rate_hz: int) -> None:
    """A band ends half an octave over its centre; the low ones are on the coarse grid."""
    audio = AudioFormat(rate_hz)
    for band in ALL:
        on = noise.grid_of(band, audio)
        assert on in (grid.coarse(audio), grid.full(audio))
        assert noise.centres_hz()[band] * 2**0.5 < on.high * rate_hz
        assert (on is grid.coarse(audio)) == (band <= noise.LAST_COARSE)


def test_leaving_bands_out_changes_none_of_the_others() -> None:
    for on in (grid.coarse(AudioFormat()), grid.full(AudioFormat())):
        here = range_on(ALL, on)
        every, some = (noise.bands(7, 88_200, which, on) for which in (here, here[2:5]))
        assert np.array_equal(some, every[:, 2:5])


def test_another_seed_gives_independent_noise() -> None:
    """Channels hear uncorrelated noise."""
    one, other = bands(range(12, 18), 40)[0], bands(range(12, 18), 40, seed=8)[0]
    assert np.abs(np.mean(one * other, axis=1)).max() < 0.1


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_top_is_no_denser_where_the_rate_cuts_it_off(rate_hz: int) -> None:
    """The highest band has a power below 1, and the same density per hertz at either rate."""
    samples = bands(range(noise.BANDS - 1, noise.BANDS), CHUNKS, rate_hz)[0, 0]
    spectrum = np.abs(np.fft.rfft(samples)) ** 2 / len(samples) / rate_hz
    freq = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    top = (freq > 18_000) & (freq < 20_000)
    shape = np.cos(np.pi * np.log2(freq[top] / noise.centres_hz()[-1])) ** 2
    expected = np.mean(shape) / (2 * 0.3493 * noise.centres_hz()[-1])
    assert 10 * np.log10(spectrum[top].mean() / expected) == pytest.approx(0.0, abs=0.5)


@grids
def test_an_accelerator_s_noise_has_the_same_bits(
    build: Callable[[AudioFormat], grid.Grid], which: range
) -> None:
    """It is gathered from the same tables, concatenated."""
    on = build(AudioFormat())
    for seed, frame in ((7, 0), (7, 88_200), (2**31, 10**12)):
        found = noise.bands(seed, frame, which, on, DEVICE)
        assert np.array_equal(numpy_of(found), noise.bands(seed, frame, which, on))


def source(which: range, on: grid.Grid) -> NDArray[np.float32]:
    found = noise.bands(7, 0, which, on)
    return found.reshape(-1, found.shape[-1])


@kinds
@grids
def test_shaping_weighs_and_moves(build: Callable[[AudioFormat], grid.Grid], which: range, kind: str) -> None:
    """Gains at the blocks' borders are interpolated between them, band by band and ear by ear."""
    on, bands_ = build(AudioFormat()), source(which, build(AudioFormat()))
    frames = noise.border_frames(on.audio)
    frames = frames if noise.around(on) else frames[1:-1]
    gains = np.random.default_rng(3).uniform(0, 1, (len(frames), 4, len(bands_))).astype(np.float32)
    found = numpy_of(noise.shaped(of_kind(kind, gains), of_kind(kind, bands_), on))
    samples = np.arange(-noise.around(on), on.samples + noise.around(on))
    for output in range(4):
        moved = [np.interp(samples, frames / on.divisor, each) for each in gains[:, output].T]
        expected = trimmed(np.sum(np.array(moved) * bands_, axis=0), on)
        assert np.abs(found[output] - expected).max() < 1e-4


@kinds
@grids
def test_fading_weighs_and_moves_evenly(
    build: Callable[[AudioFormat], grid.Grid], which: range, kind: str
) -> None:
    """Gains are as given at the chunk's ends, and linear in between and around."""
    on, bands_ = build(AudioFormat()), source(which, build(AudioFormat()))
    gains = np.random.default_rng(3).uniform(0, 1, (2, 4, len(bands_))).astype(np.float32)
    found = numpy_of(noise.faded(of_kind(kind, gains), of_kind(kind, bands_), on))
    along = (np.arange(bands_.shape[1]) - noise.around(on)) / on.samples
    moved = gains[0][..., None] * (1 - along) + gains[1][..., None] * along
    assert np.abs(found - trimmed((moved * bands_).sum(axis=1), on)).max() < 1e-4


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_borders_are_5_ms_apart_and_reach_a_block_beyond_the_chunk(rate_hz: int) -> None:
    """The chunk's ends are among the borders."""
    audio = AudioFormat(rate_hz)
    frames = noise.border_frames(audio)
    (step,) = set(np.diff(frames).tolist())
    assert step < 0.0051 * rate_hz
    assert (frames[0], frames[-1]) == (-step, audio.frames_per_chunk + step)
    assert {0, audio.frames_per_chunk} <= set(frames.tolist())
    assert noise.around(grid.coarse(audio)) * grid.coarse(audio).divisor == step
