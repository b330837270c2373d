"""The grids: they cover the chunk exactly, with borders close enough for envelopes."""

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
def test_blocks_make_up_the_chunk_and_what_the_filter_needs(blocks: Blocks) -> None:
    """They reach as far on one side as on the other, on the full grid nowhere."""
    assert blocks.count * blocks.size == blocks.grid.samples + 2 * blocks.reach
    assert blocks.reach >= blocks.grid.around
    assert (blocks.reach == 0) == (blocks.grid.divisor == 1)


@pytest.mark.parametrize("blocks", BLOCKS, ids=cut)
def test_borders_are_where_blocks_begin_and_end(blocks: Blocks) -> None:
    """A block apart from the first frame on, and one more where the last one ends."""
    frames = blocks.frames
    assert frames[0] == -blocks.reach * blocks.grid.divisor
    assert set(np.diff(frames).tolist()) == {blocks.size * blocks.grid.divisor}
    assert len(frames) == blocks.count + 1


@pytest.mark.parametrize("blocks", BLOCKS, ids=cut)
def test_borders_are_close_enough_for_envelopes(blocks: Blocks) -> None:
    """1.6 ms apart at most on the full grid, 7 ms on the others."""
    apart_ms = 1000 * blocks.size / blocks.grid.rate_hz
    assert apart_ms < (1.6 if blocks.grid.divisor == 1 else 7.0)


def test_places_are_the_grids_and_what_is_steady() -> None:
    assert len(grid.grids(AudioFormat())) == grid.LIVELY == grid.STEADY == grid.PLACES - 1


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_middle_and_the_coarse_grid_have_the_same_borders(rate_hz: int) -> None:
    """What is elementwise can be computed for both at once."""
    assert grid.strips(AudioFormat(rate_hz)) == (slice(0, 1), slice(1, 3))


@pytest.mark.parametrize("each", [each for each in GRIDS if each.divisor > 1], ids=lambda each: each.rate_hz)
def test_what_a_grid_holds_lies_well_under_half_of_its_rate(each: grid.Grid) -> None:
    """The first image of its highest partial lies more than an octave over it: room for a short filter."""
    highest_hz = each.high * each.audio.sample_rate_hz
    assert (each.rate_hz - highest_hz) / highest_hz > 1.7


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_each_frequency_lies_on_one_grid(rate_hz: int) -> None:
    """From 20 Hz to half of the rate, no gap and no overlap."""
    freq_hz = np.linspace(20, rate_hz / 2, 10_001)
    holds = [build(AudioFormat(rate_hz)).holds(freq_hz) for build in (grid.full, grid.middle, grid.coarse)]
    assert np.array_equal(np.sum(holds, axis=0), np.ones(len(freq_hz)))
