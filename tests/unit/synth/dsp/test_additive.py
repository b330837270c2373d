"""Lively partials against a float64 sum of sines; they do not depend on chunks or batches."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.arrays import Array
from services.synth.dsp.grid import Blocks, Grid
from tests.device import numpy_of, of_kind


def on_full(rate_hz: int) -> Grid:
    return grid.full(AudioFormat(rate_hz))


BLOCKS = [on_full(rate).blocks for rate in SAMPLE_RATES_HZ]
CD = BLOCKS[0]
Given = dict[str, NDArray[np.float64]]

every = pytest.mark.parametrize("blocks", BLOCKS, ids=lambda blocks: blocks.grid.audio.sample_rate_hz)


def partials(count: int, blocks: Blocks, seed: int = 1) -> Given:
    """Random partials: frequencies, phases, gains and amplitudes that move."""
    draw = np.random.default_rng(seed)
    return {
        "freq_hz": draw.uniform(30, 0.45 * blocks.grid.audio.sample_rate_hz, count),
        "phase": draw.random(count),
        "gain": draw.uniform(0.1, 1.0, (count, 2)),
        "amplitude": draw.uniform(0.0, 1.0, (count, len(blocks.frames))),
    }


def kernel(given: Given, start: int, blocks: Blocks, kind: str = "numpy") -> NDArray[np.float32]:
    """The chunk that begins ``start`` frames after the onset: ``[ear, frame]``."""
    freq_hz, frames = given["freq_hz"], np.full(len(given["freq_hz"]), start)
    turns = additive.start_turns(freq_hz, given["phase"], frames, blocks.grid.audio.sample_rate_hz)
    return summed(additive.waves(freq_hz, blocks).phasors * arrays.phasors(turns), given, blocks, kind)


def summed(
    phasors: NDArray[np.complex64], given: Given, blocks: Blocks, kind: str = "numpy"
) -> NDArray[np.float32]:
    """The chunk of partials with these phases at the borders: ``[ear, frame]``."""
    amplitude, gain = (of_kind(kind, given[key].T.astype(np.float32)) for key in ("amplitude", "gain"))
    left = additive.factor(of_kind(kind, phasors), amplitude, gain)
    bases = additive.waves(given["freq_hz"], blocks).bases
    bases = bases.reshape(-1, bases.shape[-1])
    sums = additive.sums(left, [(0, len(given["freq_hz"]), of_kind(kind, bases))])
    return numpy_of(additive.joined(sums, blocks))


def oracle(given: Given, start: int, blocks: Blocks) -> NDArray[np.float64]:
    """The chunk by definition: every sine in float64, amplitudes interpolated between borders."""
    audio = blocks.grid.audio
    n = np.arange(audio.frames_per_chunk)
    out = np.zeros((2, len(n)))
    for freq, phase, gain, amplitude in zip(*given.values(), strict=True):
        sine = np.cos(2 * np.pi * (freq * ((start + n) / audio.sample_rate_hz) + phase))
        out += np.interp(n, blocks.frames, amplitude) * sine * gain[:, None]
    return out


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@every
def test_error_stays_110_db_under_the_sum(blocks: Blocks, kind: str) -> None:
    """Against float64 sines the error of many partials is under -110 dB of their power."""
    given = partials(64, blocks)
    found, expected = kernel(given, 12_345, blocks, kind), oracle(given, 12_345, blocks)
    assert 20 * np.log10(np.std(found - expected) / np.std(expected)) < -110


@every
def test_a_high_note_aliases_nowhere(blocks: Blocks) -> None:
    """A steady 7 kHz sine puts nothing over -110 dB at any other frequency."""
    given, audio = partials(1, blocks), blocks.grid.audio
    given["freq_hz"][:], given["amplitude"][:] = 7000.0, 1.0
    spectrum = np.abs(np.fft.rfft(kernel(given, 0, blocks)[0].astype(float)))
    line = round(7000 * audio.frames_per_chunk / audio.sample_rate_hz)
    assert 20 * np.log10(np.delete(spectrum, line).max() / spectrum[line]) < -110


def test_phase_is_exact_after_a_week() -> None:
    """A week after the onset a partial's phase matches exact integer arithmetic within 1e-6 turns."""
    week = 7 * 24 * 3600 * 44_100 + 17
    freq = np.array([440.0, 441.7, 12_345.678])
    turns = additive.start_turns(freq, np.zeros(3), np.full(3, week), 44_100).astype(float)
    exact = np.array([round(f * 1000) * week % (44_100 * 1000) / (44_100 * 1000) for f in freq])
    assert np.abs((turns - exact + 0.5) % 1.0 - 0.5).max() < 1e-6


@every
def test_chunks_join_without_a_step(blocks: Blocks) -> None:
    """The step at the border of two neighbouring chunks of a steady partial is no larger than inside."""
    given = partials(1, blocks)
    given["freq_hz"][:], given["amplitude"][:] = 440.0, 1.0
    frames = blocks.grid.audio.frames_per_chunk
    joined = np.concatenate([kernel(given, 0, blocks), kernel(given, frames, blocks)], axis=1)
    steps = np.abs(np.diff(joined)).max(axis=0)
    assert steps[frames - 1] <= np.delete(steps, frames - 1).max() * 1.001


def test_a_phase_that_moves_is_a_frequency_that_moves() -> None:
    """A phase that grows by 5 turns a second more is heard as a sine that is 5 Hz higher, to -60 dB."""
    blocks, frames = CD, np.arange(4410)
    given = partials(1, blocks)
    given["freq_hz"][:], given["amplitude"][:], given["gain"][:] = 600.0, 1.0, 1.0
    faster = arrays.phasors((5.0 * blocks.frames / 44_100).astype(np.float32))
    found = summed(additive.waves(given["freq_hz"], blocks).phasors * faster[:, None], given, blocks)[0]
    expected = np.cos(2 * np.pi * 605.0 * frames / 44_100)
    assert 20 * np.log10(np.abs(found - expected).max()) < -60


@every
def test_groups_are_summed_apart(blocks: Blocks) -> None:
    """Each group takes its own partials from the factor, as if it were alone."""
    given = partials(8, blocks)
    draw = np.random.default_rng(2)
    left = draw.standard_normal((2 * len(blocks.frames), 16)).astype(np.float32)
    bases = additive.waves(given["freq_hz"], blocks).bases.reshape(16, -1)
    found = additive.sums(left, [(0, 3, bases[:6]), (3, 8, bases[6:])])
    for part, sums in ((slice(0, 6), found[0]), (slice(6, 16), found[1])):
        assert np.allclose(sums, left[:, part].astype(float) @ bases[part].astype(float), atol=1e-4)


@every
def test_phasors_lie_in_memory_by_border(blocks: Blocks) -> None:
    """Partials are contiguous: elementwise products run along them."""
    found = additive.waves(np.array([440.0, 660.0, 880.0]), blocks).phasors
    assert found.shape == (len(blocks.frames), 3)
    assert found.flags.c_contiguous


def test_selected_partials_have_the_same_tables_as_alone() -> None:
    """As when other partials have died away."""
    freq_hz, index = np.linspace(100, 9000, 12), np.array([0, 3, 11])
    found, alone = additive.waves(freq_hz, CD).only(index), additive.waves(freq_hz[index], CD)
    assert all(np.array_equal(one, other) for one, other in zip(found, alone, strict=True))


@pytest.mark.parametrize("others", [32, 224])
def test_other_partials_in_the_batch_change_no_bit(others: int) -> None:
    """Elementwise operations give the same bits for some partials alone and among others."""
    count, borders, draw = additive.ROWS + others, len(CD.frames), np.random.default_rng(others)
    turns, gains, amplitude = (
        draw.random(shape, dtype=np.float32) for shape in (count, (2, count), (borders, count))
    )

    def left(partials: int) -> Array:
        phasors = np.repeat(arrays.phasors(turns[:partials])[None], borders, axis=0)
        return additive.factor(phasors, amplitude[:, :partials], gains[:, :partials])

    alone = left(additive.ROWS)
    assert np.array_equal(left(count)[:, : alone.shape[1]], alone)
