"""The grids: they cover the chunk exactly, with borders close enough for envelopes."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.dsp.grid import Grid

GRIDS = [
    build(AudioFormat(rate)) for rate in SAMPLE_RATES_HZ for build in (grid.full, grid.middle, grid.coarse)
]
NAMES = [f"{each.audio.sample_rate_hz}/{each.divisor}" for each in GRIDS]


@pytest.mark.parametrize("each", GRIDS, ids=NAMES)
def test_blocks_make_up_the_chunk(each: Grid) -> None:
    """Blocks times samples times the divisor are the chunk's frames, without a rest."""
    assert each.blocks * each.block * each.divisor == each.audio.frames_per_chunk


@pytest.mark.parametrize("each", GRIDS, ids=NAMES)
def test_the_inner_borders_begin_and_end_with_the_chunk(each: Grid) -> None:
    """Without margins the first border is the chunk's first frame, the last one the next chunk's."""
    inner = each.border_frames[each.margin : each.margin + each.blocks + 1]
    assert (inner[0], inner[-1]) == (0, each.audio.frames_per_chunk)


@pytest.mark.parametrize("each", GRIDS, ids=NAMES)
def test_borders_are_a_block_apart(each: Grid) -> None:
    """All distances are the same, in the margins too; there is one border more than blocks."""
    distances = set((each.border_frames[1:] - each.border_frames[:-1]).tolist())
    assert (len(each.border_frames), distances) == (each.all_blocks + 1, {each.block * each.divisor})


@pytest.mark.parametrize("each", GRIDS, ids=NAMES)
def test_borders_are_close_enough_for_envelopes(each: Grid) -> None:
    """1.6 ms apart at most on the full grid, 7 ms on the others."""
    apart_ms = 1000 * each.block / each.rate_hz
    assert apart_ms < (1.6 if each.divisor == 1 else 7.0)


@pytest.mark.parametrize("each", [each for each in GRIDS if each.divisor > 1], ids=lambda each: each.rate_hz)
def test_what_a_grid_holds_lies_well_under_half_of_its_rate(each: Grid) -> None:
    """The first image of its highest partial lies more than an octave over it: room for a short filter."""
    highest_hz = each.high * each.audio.sample_rate_hz
    assert (each.rate_hz - highest_hz) / highest_hz > 1.7


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_each_frequency_lies_on_one_grid(rate_hz: int) -> None:
    """From 20 Hz to half of the rate, no gap and no overlap."""
    freq_hz = np.linspace(20, rate_hz / 2, 10_001)
    holds = [build(AudioFormat(rate_hz)).holds(freq_hz) for build in (grid.full, grid.middle, grid.coarse)]
    assert np.array_equal(np.sum(holds, axis=0), np.ones(len(freq_hz)))
