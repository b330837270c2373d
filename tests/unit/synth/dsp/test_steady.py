"""Steady partials against a float64 sum of sines, on every grid and at both rates."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import additive, arrays, grid, steady
from services.synth.dsp.arrays import Array, Device
from services.synth.dsp.grid import Grid
from tests.device import DEVICE, numpy_of, of_kind

CPU = "cpu"
KINDS = ["numpy", "torch"]
GRIDS = [on for rate in SAMPLE_RATES_HZ for on in grid.grids(AudioFormat(rate))]
Given = dict[str, NDArray[np.float64]]

every = pytest.mark.parametrize("on", GRIDS, ids=lambda on: f"{on.audio.sample_rate_hz}/{on.divisor}")


def partials(count: int, on: Grid, seed: int = 1) -> Given:
    """Random partials of a grid: frequencies, phases, gains in three outputs, levels at the chunk's ends."""
    draw, rate_hz = np.random.default_rng(seed), on.audio.sample_rate_hz
    high = min(on.high, 0.45) * rate_hz
    return {
        "freq_hz": np.append(draw.uniform(steady.lowest_hz(on.audio), high, count - 1), 0.999 * high),
        "phase": draw.random(count),
        "gain": draw.uniform(0.1, 1.0, (count, 3)),
        "levels": draw.uniform(0.0, 1.0, (count, 2)),
    }


def kernel(given: Given, start: int, on: Grid, kind: str = "numpy") -> NDArray[np.float32]:
    """The chunk that begins ``start`` frames after the onset, before upsampling: ``[output, sample]``."""
    audio, freq_hz = on.audio, given["freq_hz"]
    frames = np.full(len(freq_hz), start + steady.centre(audio))
    first = arrays.phasors(additive.start_turns(freq_hz, given["phase"], frames, audio.sample_rate_hz))
    into = steady.spectrum([steady.spread(freq_hz, audio)], freq_hz.max(), audio, home(kind))
    assert into.grid is on
    low, high, mixing = (array(kind, each) for each in (*given["levels"].T, in_both_parts(given["gain"])))
    peaks = steady.peaks(low, high, array(kind, first, np.complex64), audio)
    return numpy_of(steady.samples(steady.bins(peaks, mixing, into), on))


def home(kind: str) -> Device:
    return DEVICE if kind == "torch" else CPU


def in_both_parts(gain: NDArray) -> NDArray:
    return np.repeat(gain, 2, axis=1)


def array(kind: str, values: NDArray, dtype: type = np.float32) -> Array:
    """Contiguous in memory, as in the renderer."""
    return of_kind(kind, np.ascontiguousarray(values, dtype=dtype))


def oracle(given: Given, start: int, on: Grid) -> NDArray[np.float64]:
    """The chunk by definition: every sine in float64, levels on a straight line that goes on beyond it."""
    audio = on.audio
    n = np.arange(-on.around, on.samples + on.around) * on.divisor
    turns = given["freq_hz"][:, None] * ((start + n) / audio.sample_rate_hz) + given["phase"][:, None]
    first, last = given["levels"].T[..., None]
    level = first + (last - first) * (n / audio.frames_per_chunk)
    return np.asarray(given["gain"].T @ (level * np.cos(2 * np.pi * turns)))


def db(of: NDArray[np.float64], against: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.std(of) / np.std(against)))


@pytest.mark.parametrize("kind", KINDS)
@every
def test_error_stays_120_db_under_the_sum(on: Grid, kind: str) -> None:
    """Against float64 sines: of all samples, and of the first and last ones, where the kernel is weakest."""
    given = partials(64, on)
    expected = oracle(given, 12_345, on)
    error = kernel(given, 12_345, on, kind) - expected
    assert db(error, expected) < -120
    assert db(error[:, [0, 1, 2, -3, -2, -1]], expected) < -105


@every
def test_a_partial_appears_nowhere_else(on: Grid) -> None:
    """One sine puts nothing over -110 dB at any other frequency."""
    given, audio = partials(1, on), on.audio
    line = int(0.9 * min(on.high, 0.45) * audio.frames_per_chunk)
    given["freq_hz"][:], given["levels"][:] = line * audio.sample_rate_hz / audio.frames_per_chunk, 1.0
    samples = kernel(given, 0, on)[0, on.around : on.around + on.samples]
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    assert 20 * np.log10(np.delete(spectrum, line).max() / spectrum[line]) < -110


@every
def test_the_lowest_partials_are_as_exact(on: Grid) -> None:
    """At the lowest frequency that has room for the kernel's bins below it."""
    given = partials(4, on)
    given["freq_hz"][:3] = steady.lowest_hz(on.audio) * np.array([1.0, 1.05, 1.3])
    expected = oracle(given, 0, on)
    assert db(kernel(given, 0, on) - expected, expected) < -110


@every
def test_chunks_join_without_a_step(on: Grid) -> None:
    """Where one chunk's level ends the next one's begins: no larger steps than inside."""
    given, frames = partials(1, on), on.audio.frames_per_chunk
    given["freq_hz"][:] = 0.8 * min(on.high, 0.45) * on.audio.sample_rate_hz
    given["levels"][:] = 0.2, 0.8
    later = {**given, "levels": np.array([[0.8, 0.3]])}
    inner = slice(on.around, on.around + on.samples)
    both = [kernel(part, start, on)[:, inner] for part, start in ((given, 0), (later, frames))]
    exact = [oracle(part, start, on)[:, inner] for part, start in ((given, 0), (later, frames))]
    steps, expected = (np.diff(np.concatenate(each, axis=1)) for each in (both, exact))
    assert np.abs(steps - expected).max() < 1e-5


def test_spreads_of_several_voices_add_up_as_one() -> None:
    """In any division the sums have the same bits."""
    on = grid.full(AudioFormat())
    given = partials(40, on)
    spreads = [steady.spread(some, on.audio) for some in np.split(given["freq_hz"], [7, 8, 30])]
    whole = steady.spectrum([steady.spread(given["freq_hz"], on.audio)], 19_000, on.audio, CPU)
    parts = steady.spectrum(spreads, 19_000, on.audio, CPU)
    levels = np.random.default_rng(1).standard_normal((2 * 40, 2), np.float32)
    assert np.array_equal(whole.sums.of(levels), parts.sums.of(levels))


def test_selected_partials_have_the_same_spread_as_alone() -> None:
    """As when other partials have died away."""
    freq_hz, index = np.linspace(100, 9000, 12), np.array([0, 3, 11])
    audio = AudioFormat()
    found, alone = steady.spread(freq_hz, audio).only(index), steady.spread(freq_hz[index], audio)
    assert all(np.array_equal(one, other) for one, other in zip(found, alone, strict=True))


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_coarsest_grid_that_holds_all_is_taken(rate_hz: int) -> None:
    """One partial over the coarse grid's highest brings all to the middle one."""
    audio = AudioFormat(rate_hz)
    full, middle, coarse = grid.grids(audio)
    low = [steady.spread(np.array([440.0]), audio)]
    for highest, on in ((0.07, coarse), (grid.COARSE_BELOW, middle), (grid.MIDDLE_BELOW, full)):
        assert steady.spectrum(low, highest * rate_hz, audio, CPU).grid is on


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_centre_is_a_sample_of_every_grid(rate_hz: int) -> None:
    """And less than 10 frames from the middle."""
    audio = AudioFormat(rate_hz)
    assert all(steady.centre(audio) % on.divisor == 0 for on in grid.grids(audio))
    assert 0 <= audio.frames_per_chunk / 2 - steady.centre(audio) < 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 5, 31, 64])
def test_a_channel_s_bins_have_the_same_bits_in_a_batch(count: int, kind: str) -> None:
    """Its peaks are a slice of the batch's, wherever that begins."""
    audio, draw = AudioFormat(), np.random.default_rng(count)
    into = steady.spectrum([steady.spread(draw.uniform(60, 3000, count), audio)], 3000, audio, home(kind))
    mixing = of_kind(kind, in_both_parts(draw.random((count, 5), dtype=np.float32)))
    batch = draw.standard_normal((2, 2 * (count + 96))).astype(np.float32).view(np.complex64)
    for first in (0, 3, 32):
        peaks = batch[:, first : first + count]
        found = steady.bins(of_kind(kind, batch)[:, first : first + count], mixing, into)
        alone = steady.bins(of_kind(kind, peaks.copy()), mixing, into)
        assert np.array_equal(numpy_of(found), numpy_of(alone))
