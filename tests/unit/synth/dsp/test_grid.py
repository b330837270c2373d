"""The grids: their blocks cover the chunk exactly, with borders close enough for envelopes."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.dsp.grid import Blocks

GRIDS = [
    build(AudioFormat(rate)) for rate in SAMPLE_RATES_HZ for build in (grid.full, grid.middle, grid.coarse)
]


def cut(each: Blocks) -> str:
    return f"{each.grid.audio.sample_rate_hz}/{each.grid.divisor}"


BLOCKS = [each.blocks for each in GRIDS]


@pytest.mark.parametrize("blocks", BLOCKS, ids=cut)
def test_blocks_cover_the_chunk_and_the_support_of_the_filter(blocks: Blocks) -> None:
    """They reach equally far beyond the chunk on both sides, on the full grid not at all."""
    assert blocks.count * blocks.size == blocks.grid.samples + 2 * blocks.reach
    assert blocks.reach >= blocks.grid.around
    assert (blocks.reach == 0) == (blocks.grid.divisor == 1)


@pytest.mark.parametrize("blocks", BLOCKS, ids=cut)
def test_borders_are_where_blocks_begin_and_end(blocks: Blocks) -> None:
    """One at the start of each block, and one where the last block ends."""
    frames = blocks.frames
    assert frames[0] == -blocks.reach * blocks.grid.divisor
    assert set(np.diff(frames).tolist()) == {blocks.size * blocks.grid.divisor}
    assert len(frames) == blocks.count + 1


@pytest.mark.parametrize("blocks", BLOCKS, ids=cut)
def test_borders_are_close_enough_for_envelopes(blocks: Blocks) -> None:
    """1.6 ms apart at most on the full grid, 7 ms on the others."""
    apart_ms = 1000 * blocks.size / blocks.grid.rate_hz
    assert apart_ms < (1.6 if blocks.grid.divisor == 1 else 7.0)


def test_places_are_the_grids_and_the_steady_spectrum() -> None:
    assert len(grid.grids(AudioFormat())) == grid.LIVELY == grid.STEADY == grid.PLACES - 1


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_middle_and_the_coarse_grid_have_the_same_borders(rate_hz: int) -> None:
    """So elementwise operations cover both at once."""
    assert grid.strips(AudioFormat(rate_hz)) == (slice(0, 1), slice(1, 3))


@pytest.mark.parametrize("each", [each for each in GRIDS if each.divisor > 1], ids=lambda each: each.rate_hz)
def test_partials_lie_well_under_half_the_rate_of_their_grid(each: grid.Grid) -> None:
    """The first image of the highest partial is at over 1.7 times its frequency: room for a short filter."""
    highest_hz = each.high * each.audio.sample_rate_hz
    assert (each.rate_hz - highest_hz) / highest_hz > 1.7


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_each_frequency_lies_on_one_grid(rate_hz: int) -> None:
    """From 20 Hz to half the rate without a gap or an overlap."""
    freq_hz = np.linspace(20, rate_hz / 2, 10_001)
    holds = [build(AudioFormat(rate_hz)).holds(freq_hz) for build in (grid.full, grid.middle, grid.coarse)]
    assert np.array_equal(np.sum(holds, axis=0), np.ones(len(freq_hz)))
