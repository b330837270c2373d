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
    turns = additive.start_turns(freq_hz, given["phase"], frames, on.audio.sample_rate_hz)[:, None]
    left = additive.phasors(
        torch.from_numpy(given["amplitude"].astype(np.float32)),
        torch.from_numpy(turns + additive.border_turns(freq_hz, on)),
    )
    bases = additive.basis(freq_hz, given["gain"].astype(np.float32), on)
    return np.asarray(additive.product(left, torch.from_numpy(bases)).numpy())


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
    turns = additive.border_turns(np.array([600.0]), on) + 5.0 * on.border_frames / 44_100
    left = additive.phasors(torch.ones(1, len(on.border_frames)), torch.from_numpy(turns).float())
    bases = additive.basis(np.array([600.0]), np.ones((1, 2), np.float32), on)
    found = additive.product(left, torch.from_numpy(bases))[0].numpy()
    expected = np.cos(2 * np.pi * 605.0 * frames / 44_100)
    assert 20 * np.log10(np.abs(found - expected).max()) < -60


@pytest.mark.parametrize("others", [16, 112])
def test_company_does_not_change_a_bit(others: int) -> None:
    """Phasors are elementwise: those of some partials are the same bits alone and among others."""
    on = GRIDS[0]
    torch.set_num_threads(1)
    amplitude = torch.rand(additive.ROWS + others, len(on.border_frames))
    turns = torch.rand(additive.ROWS + others, len(on.border_frames))
    alone = additive.phasors(amplitude[: additive.ROWS], turns[: additive.ROWS])
    assert torch.equal(additive.phasors(amplitude, turns)[: additive.ROWS], alone)
