"""Converting frames to ticks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.midi.tempo_map import TICKS_PER_BEAT, TempoMap, tempo_map
from auralis.score.events import Tempo

RATE = 44_100


def second(ticks: TempoMap, tick: int) -> float:
    """The second at which any reader places a tick."""
    mark = [mark for mark in ticks.marks if mark.tick <= tick][-1]
    before = sum(
        (b.tick - a.tick) * a.us_per_beat
        for a, b in zip(ticks.marks, ticks.marks[1:], strict=False)
        if b.tick <= mark.tick
    )
    return (before + (tick - mark.tick) * mark.us_per_beat) / TICKS_PER_BEAT / 1e6


def test_a_beat_has_its_ticks() -> None:
    ticks = tempo_map([Tempo(0, 60.0), Tempo(4 * RATE, 120.0)], 0, RATE, 60.0)
    assert [ticks.tick(s * RATE) for s in (0, 1, 4, 5)] == [0, 1920, 4 * 1920, 6 * 1920]


def test_a_stretch_begins_with_the_tempo_in_force() -> None:
    """If none was given, it begins with the default."""
    tempi = [Tempo(0, 60.0), Tempo(RATE, 90.0), Tempo(9 * RATE, 40.0)]
    ticks = tempo_map(tempi, 5 * RATE, RATE, 60.0)
    assert [(mark.tick, mark.us_per_beat) for mark in ticks.marks] == [(0, 666_667), (6 * 1920, 1_500_000)]
    assert tempo_map([], 5 * RATE, RATE, 75.0).marks[0].us_per_beat == 800_000


def test_what_was_before_the_start_begins_with_it() -> None:
    assert tempo_map([], 5 * RATE, RATE, 60.0).tick(RATE) == 0


def test_a_tempo_that_is_said_again_is_no_new_one() -> None:
    assert len(tempo_map([Tempo(0, 60.0), Tempo(RATE, 60.0)], 0, RATE, 60.0).marks) == 1


@given(
    tempi=st.lists(st.tuples(st.integers(0, 3600 * RATE), st.floats(20, 300)), max_size=40),
    start=st.integers(0, 1800 * RATE),
    later=st.integers(0, 3600 * RATE),
    rate=st.sampled_from([44_100, 48_000]),
)
def test_no_tick_is_further_than_half_a_tick_from_its_frame(
    tempi: list[tuple[int, float]], start: int, later: int, rate: int
) -> None:
    """However many tempi there were: rounding errors never add up."""
    changes = [Tempo(at, bpm) for at, bpm in sorted(tempi)]
    ticks = tempo_map(changes, start, rate, 60.0)
    frame = start + later
    longest_s = max(mark.us_per_beat for mark in ticks.marks) / TICKS_PER_BEAT / 1e6
    assert second(ticks, ticks.tick(frame)) == pytest.approx(later / rate, abs=longest_s * 0.51 + 1e-9)
