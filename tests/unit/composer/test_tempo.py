import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.composer.tempo import RAMP_BEATS, TICKS_A_BEAT, Tempo, mbpm_of
from tests.unit.composer.pieces import unhurried

tempi = st.integers(40_000, 120_000)


def beats(tempo, count=RAMP_BEATS + 2):
    result = []
    for _ in range(count):
        result.append(tempo.mbpm())
        tempo = tempo.next_beat()
    return result


def test_a_steady_beat_has_the_frames_of_its_tempo():
    assert Tempo(60_000, 60_000).beat_frames(44_100) == 44_100
    assert Tempo(120_000, 120_000).beat_frames(48_000) == 24_000


def test_a_ramp_goes_by_equal_ratios_and_ends_within_a_bar():
    ramp = beats(Tempo(60_000, 60_000).towards(mbpm_of(90.0)))
    assert ramp == pytest.approx([66_401, 73_485, 81_325, 90_000, 90_000, 90_000], abs=2)


@unhurried
@given(tempi, tempi, st.integers(0, 3), tempi)
def test_a_ramp_turned_on_its_way_begins_where_it_was(start, goal, taken, new_goal):
    tempo = Tempo(start, start).towards(goal)
    last = start
    for _ in range(taken):
        last = tempo.mbpm()
        tempo = tempo.next_beat()
    turned = beats(tempo.towards(new_goal))
    assert turned[-1] == new_goal
    low, high = sorted((last, new_goal if new_goal != goal else goal))
    assert all(low - 2 <= mbpm <= high + 2 for mbpm in turned)


@unhurried
@given(tempi, tempi, st.integers(0, 12))
def test_frames_ahead_are_those_that_the_beats_will_have(start, goal, count):
    tempo = Tempo(start, start).towards(goal)
    ahead, total, later = tempo.frames_to(count * TICKS_A_BEAT, 44_100), 0, tempo
    for _ in range(count):
        total += later.beat_frames(44_100)
        later = later.next_beat()
    assert ahead == total
