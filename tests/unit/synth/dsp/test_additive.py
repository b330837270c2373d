"""The additive kernel against a float64 sum of sines, and its independence of chunks and batches."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive
from services.synth.dsp.grid import Grid

GRIDS = [Grid(AudioFormat(44_100)), Grid(AudioFormat(48_000))]


def tiles(count: int, grid: Grid, seed: int = 1) -> dict[str, NDArray[np.float64]]:
    """Random partials: frequencies, phases, gains and amplitudes that move."""
    draw = np.random.default_rng(seed)
    rows = count * additive.TILE
    return {
        "freq_hz": draw.uniform(30, 0.45 * grid.audio.sample_rate_hz, rows),
        "phase": draw.random(rows),
        "gain": draw.uniform(0.1, 1.0, (rows, 2)),
        "amplitude": draw.uniform(0.0, 1.0, (rows, grid.blocks + 1)),
    }


def kernel(given: dict[str, NDArray[np.float64]], start: int, grid: Grid) -> torch.Tensor:
    """The chunk that begins ``start`` frames after the onset: ``[tile, frame, channel]``."""
    rows = len(given["freq_hz"])
    frames = np.full(rows, start)
    rate = grid.audio.sample_rate_hz
    return additive.synthesise(
        torch.from_numpy(given["amplitude"].astype(np.float32)),
        torch.from_numpy(additive.rotation(given["freq_hz"], grid)),
        torch.from_numpy(additive.start_phasor(given["freq_hz"], given["phase"], frames, rate)),
        torch.from_numpy(additive.basis(given["freq_hz"], given["gain"], grid)),
        grid,
    )


def oracle(given: dict[str, NDArray[np.float64]], start: int, grid: Grid) -> NDArray[np.float64]:
    """The same by definition: every sine in float64, amplitudes interpolated between borders."""
    n = np.arange(grid.audio.frames_per_chunk)
    borders = np.arange(grid.blocks + 1) * grid.block
    out = np.zeros((len(n), 2))
    for freq, phase, gain, amplitude in zip(*given.values(), strict=True):
        sine = np.cos(2 * np.pi * (freq * ((start + n) / grid.audio.sample_rate_hz) + phase))
        out += (np.interp(n, borders, amplitude) * sine)[:, None] * gain
    return out


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.audio.sample_rate_hz)
def test_error_stays_110_db_under_the_sum(grid: Grid) -> None:
    """Against float64 sines the error of a tile is under -110 dB, near the onset."""
    given = tiles(1, grid)
    found = kernel(given, 12_345, grid)[0].numpy()
    expected = oracle(given, 12_345, grid)
    error_db = 20 * np.log10(np.sqrt(np.mean((found - expected) ** 2)) / np.sqrt(np.mean(expected**2)))
    assert error_db < -110


def test_phase_is_exact_after_a_week() -> None:
    """A week after the onset a partial's phase is that of exact integer arithmetic within 1e-6 turns."""
    week = 7 * 24 * 3600 * 44_100 + 17
    freq = np.array([440.0, 441.7, 12_345.678])
    phasor = additive.start_phasor(freq, np.zeros(3), np.full(3, week), 44_100)
    turns = [round(f * 1000) * week % (44_100 * 1000) / (44_100 * 1000) for f in freq]
    expected = np.stack([np.cos(2 * np.pi * np.array(turns)), np.sin(2 * np.pi * np.array(turns))], axis=1)
    assert np.abs(phasor - expected).max() < 1e-5


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.audio.sample_rate_hz)
def test_chunks_join_without_a_step(grid: Grid) -> None:
    """Two neighbouring chunks of a steady partial differ at their border by no more than inside."""
    given = tiles(1, grid)
    given["amplitude"][:] = 0.0
    given["amplitude"][0] = 1.0
    given["freq_hz"][0] = 440.0
    frames = grid.audio.frames_per_chunk
    joined = torch.cat([kernel(given, 0, grid)[0], kernel(given, frames, grid)[0]]).numpy()
    steps = np.abs(np.diff(joined, axis=0)).max(axis=1)
    assert steps[frames - 1] <= np.delete(steps, frames - 1).max() * 1.001


@pytest.mark.parametrize("batch", [2, 7, 64])
def test_batch_does_not_change_a_bit(batch: int) -> None:
    """A tile gives the same bits alone and in any batch."""
    grid = GRIDS[0]
    torch.set_num_threads(1)
    given = tiles(batch, grid)
    together = kernel(given, 4410, grid)
    for index in {0, batch // 2, batch - 1}:
        rows = slice(index * additive.TILE, (index + 1) * additive.TILE)
        alone = kernel({name: values[rows] for name, values in given.items()}, 4410, grid)
        assert torch.equal(alone[0], together[index])
