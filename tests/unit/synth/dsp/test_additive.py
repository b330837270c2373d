"""The additive kernel against a float64 sum of sines, and its independence of chunks and batches."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import additive, grid
from services.synth.dsp.grid import Grid

GRIDS = [grid.full(AudioFormat(rate)) for rate in SAMPLE_RATES_HZ]
NAMES = [each.audio.sample_rate_hz for each in GRIDS]
Given = dict[str, NDArray[np.float64]]


def partials(count: int, on: Grid, seed: int = 1) -> Given:
    """Random partials: frequencies, phases, gains and amplitudes that move."""
    draw = np.random.default_rng(seed)
    return {
        "freq_hz": draw.uniform(30, 0.45 * on.audio.sample_rate_hz, count),
        "phase": draw.random(count),
        "gain": draw.uniform(0.1, 1.0, (count, 2)),
        "amplitude": draw.uniform(0.0, 1.0, (count, on.all_blocks + 1)),
    }


def kernel(given: Given, start: int, on: Grid) -> NDArray[np.float32]:
    """The chunk that begins ``start`` frames after the onset: ``[ear, frame]``."""
    freq_hz, frames = given["freq_hz"], np.full(len(given["freq_hz"]), start)
    turns = additive.start_turns(freq_hz, given["phase"], frames, on.audio.sample_rate_hz)
    at_borders = torch.from_numpy(additive.border_phasors(freq_hz, on))
    phasors = at_borders * additive.unit_phasors(torch.from_numpy(turns))
    return summed(phasors, given, on)


def summed(phasors: torch.Tensor, given: Given, on: Grid) -> NDArray[np.float32]:
    """Partials with these phases at the borders: ``[ear, frame]``."""
    amplitude, gain = (
        additive.in_parts(torch.from_numpy(given[name].T.astype(np.float32)))
        for name in ("amplitude", "gain")
    )
    products = torch.empty(2 * len(on.border_frames), 2 * on.block)
    bases = additive.matrix([additive.basis(given["freq_hz"], on)], torch.device("cpu"))
    bases.sum_into(products, additive.ears(phasors, amplitude, gain))
    return np.asarray(additive.overlapped(products.reshape(2, len(on.border_frames), -1)).numpy())


def oracle(given: Given, start: int, on: Grid) -> NDArray[np.float64]:
    """The same by definition: every sine in float64, amplitudes interpolated between borders."""
    n = np.arange(on.audio.frames_per_chunk)
    out = np.zeros((2, len(n)))
    for freq, phase, gain, amplitude in zip(*given.values(), strict=True):
        sine = np.cos(2 * np.pi * (freq * ((start + n) / on.audio.sample_rate_hz) + phase))
        out += np.interp(n, on.border_frames, amplitude) * sine * gain[:, None]
    return out


@pytest.mark.parametrize("on", GRIDS, ids=NAMES)
def test_error_stays_110_db_under_the_sum(on: Grid) -> None:
    """Against float64 sines the error of many partials is under -110 dB of their power."""
    given = partials(64, on)
    found, expected = kernel(given, 12_345, on), oracle(given, 12_345, on)
    assert 20 * np.log10(np.std(found - expected) / np.std(expected)) < -110


@pytest.mark.parametrize("on", GRIDS, ids=NAMES)
def test_a_high_note_aliases_nowhere(on: Grid) -> None:
    """Of a steady 7 kHz sine nothing appears at any other frequency over -110 dB."""
    given = partials(1, on)
    given["freq_hz"][:], given["amplitude"][:] = 7000.0, 1.0
    spectrum = np.abs(np.fft.rfft(kernel(given, 0, on)[0].astype(float)))
    line = round(7000 * on.audio.frames_per_chunk / on.audio.sample_rate_hz)
    assert 20 * np.log10(np.delete(spectrum, line).max() / spectrum[line]) < -110


def test_phase_is_exact_after_a_week() -> None:
    """A week after the onset a partial's phase is that of exact integer arithmetic within 1e-6 turns."""
    week = 7 * 24 * 3600 * 44_100 + 17
    freq = np.array([440.0, 441.7, 12_345.678])
    turns = additive.start_turns(freq, np.zeros(3), np.full(3, week), 44_100).astype(float)
    exact = np.array([round(f * 1000) * week % (44_100 * 1000) / (44_100 * 1000) for f in freq])
    assert np.abs((turns - exact + 0.5) % 1.0 - 0.5).max() < 1e-6


@pytest.mark.parametrize("on", GRIDS, ids=NAMES)
def test_chunks_join_without_a_step(on: Grid) -> None:
    """Two neighbouring chunks of a steady partial differ at their border by no more than inside."""
    given = partials(1, on)
    given["freq_hz"][:], given["amplitude"][:] = 440.0, 1.0
    frames = on.audio.frames_per_chunk
    joined = np.concatenate([kernel(given, 0, on), kernel(given, frames, on)], axis=1)
    steps = np.abs(np.diff(joined)).max(axis=0)
    assert steps[frames - 1] <= np.delete(steps, frames - 1).max() * 1.001


def test_a_phase_that_moves_is_a_frequency_that_moves() -> None:
    """A phase that grows by 5 turns a second more is heard as a sine that is 5 Hz higher, to -60 dB."""
    on, frames = GRIDS[0], np.arange(GRIDS[0].audio.frames_per_chunk)
    given = partials(1, on)
    given["freq_hz"][:], given["amplitude"][:], given["gain"][:] = 600.0, 1.0, 1.0
    faster = additive.unit_phasors(torch.from_numpy(5.0 * on.border_frames / 44_100).float())
    phasors = torch.from_numpy(additive.border_phasors(given["freq_hz"], on)) * faster[:, None]
    found = summed(phasors, given, on)[0]
    expected = np.cos(2 * np.pi * 605.0 * frames / 44_100)
    assert 20 * np.log10(np.abs(found - expected).max()) < -60


def test_several_bases_are_one_matrix() -> None:
    """The rows of one voice after those of another; a voice alone is not copied."""
    on = GRIDS[0]
    one, other = (additive.basis(np.array(freq_hz), on) for freq_hz in ([440.0, 880.0], [330.0]))
    both = additive.matrix([one, other], torch.device("cpu")).tensor.numpy()
    assert np.array_equal(both, np.concatenate([one, other]).reshape(6, -1))
    assert np.shares_memory(additive.matrix([one], torch.device("cpu")).tensor.numpy(), one)


def test_the_accelerator_s_product_agrees_with_the_cpu_s() -> None:
    """Both sum the same; they differ by rounding."""
    draw = torch.Generator().manual_seed(1)
    left, bases = (torch.randn(rows, 200, generator=draw) for rows in (48, 84))
    found, expected = torch.empty(48, 84), left.double() @ bases.T.double()
    matrix = additive.Matrix(bases.T.contiguous())
    matrix.sum_into(found, left)
    assert torch.allclose(found.double(), expected, atol=1e-4)
    matrix._array = None
    matrix.sum_into(found, left)
    assert torch.allclose(found.double(), expected, atol=1e-4)


@pytest.mark.parametrize("others", [32, 224])
def test_company_does_not_change_a_bit(others: int) -> None:
    """Elementwise work gives the same bits for some partials alone and among others."""
    on = GRIDS[0]
    torch.set_num_threads(1)
    count = additive.ROWS + others
    turns, gains = torch.rand(count), torch.rand(2, additive.PARTS * count)
    amplitude = torch.rand(len(on.border_frames), additive.PARTS * count)

    def left(partials: int) -> torch.Tensor:
        phasors = additive.unit_phasors(turns[:partials]).expand(len(on.border_frames), -1).contiguous()
        parts = additive.PARTS * partials
        return additive.ears(phasors, amplitude[:, :parts].clone(), gains[:, :parts])

    alone = left(additive.ROWS)
    assert torch.equal(left(count)[:, : alone.shape[1]], alone)
