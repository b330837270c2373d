"""When a worker asks for another quality: at once for less, slowly for more, and never back and forth."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.synth.ladder import (
    AT_EASE,
    BUSY,
    CALM_S,
    LATE_LOOKS,
    LOOKS,
    SETTLE_S,
    TOO_BUSY,
    Condition,
    Ladder,
    Load,
)
from services.synth.quality import STEPS, step_of

VALUES = [step.value for step in STEPS]


class Asked(NamedTuple):
    """A request for another quality."""

    at_s: int
    old: float
    new: float


class Machine:
    """A worker that needs a share of the time for full quality; every step down ``saves`` a share of that."""

    def __init__(self, need: float, saves: float, quality: float = 1.0) -> None:
        self.need, self.saves, self.quality = need, saves, quality
        self.now_s = 0
        self.ladder = Ladder()
        self.asked: list[Asked] = []

    @property
    def load(self) -> float:
        """The share of time spent rendering."""
        return min(1.0, self.need * (1 - self.saves) ** VALUES.index(self.quality))

    def run(self, seconds: int, missing: int = 0, late: int = 0) -> None:
        """Look once a second; the composer writes the requested quality at once."""
        for _ in range(seconds):
            self.now_s += 1
            condition = Condition(self.quality, missing, late)
            found = self.ladder.decide(self.now_s, self.load, {"main": condition})
            for quality in found.values():
                self.asked.append(Asked(self.now_s, self.quality, quality))
                self.quality = quality


def test_a_machine_with_time_to_spare_asks_for_nothing() -> None:
    machine = Machine(need=0.5, saves=0.25)
    machine.run(600)
    assert machine.asked == []


def test_a_machine_that_is_too_slow_goes_down_step_by_step_until_it_is_not() -> None:
    machine = Machine(need=1.5, saves=0.25)
    machine.run(600)
    assert [asked.new for asked in machine.asked] == [0.75, 0.5]
    assert machine.asked[0].at_s == LOOKS
    assert machine.load < TOO_BUSY


def test_catching_up_for_a_few_seconds_is_no_overload() -> None:
    machine = Machine(need=1.0, saves=0.25)
    machine.run(LOOKS - 1)
    machine.need = 0.3
    machine.run(60)
    assert machine.asked == []


def test_a_missing_chunk_on_a_busy_machine_lowers_its_channel_alone_and_at_once() -> None:
    asked = Ladder().decide(1.0, BUSY, {"dry": Condition(1.0, 1, 0), "fine": Condition(1.0, 0, 0)})
    assert asked == {"dry": 0.75}


def test_a_missing_chunk_on_an_idle_machine_lowers_nothing() -> None:
    """The cause was the broker, or the process was stopped."""
    assert Ladder().decide(1.0, BUSY - 0.01, {"main": Condition(1.0, 9, 0)}) == {}


def test_late_chunks_are_trouble_once_they_persist() -> None:
    """If a control is turned for seconds on a machine that can't keep up, less quality helps."""
    machine = Machine(need=BUSY, saves=0.0)
    machine.run(LATE_LOOKS, late=1)
    assert machine.asked == [Asked(LATE_LOOKS, 1.0, 0.75)]


def test_changes_of_many_channels_at_once_cost_no_quality() -> None:
    """However often: each is over within a look or two, and quality lowered before comes back meanwhile."""
    machine = Machine(need=BUSY, saves=0.0, quality=0.75)
    for _ in range(40):
        machine.run(LATE_LOOKS - 1, late=2)
        machine.run(1)
    assert [asked.new for asked in machine.asked] == [1.0]


def test_below_the_last_step_nothing_is_asked_for() -> None:
    machine = Machine(need=1.0, saves=0.0, quality=0.0)
    machine.run(100, missing=3)
    assert machine.asked == []


@pytest.mark.parametrize("quality", VALUES[1:])
def test_quality_always_comes_back_when_there_is_time_again(quality: float) -> None:
    """By a step for every 30 s without trouble, up to full quality."""
    machine = Machine(need=0.5, saves=0.25, quality=quality)
    steps = VALUES.index(quality)
    machine.run(int(steps * CALM_S) + 1)
    assert machine.quality == 1.0
    assert [asked.new for asked in machine.asked] == VALUES[:steps][::-1]


def test_trouble_postpones_recovery() -> None:
    machine = Machine(need=0.55, saves=0.0, quality=0.5)
    for _ in range(20):
        machine.run(int(CALM_S) - 2)
        machine.run(1, missing=1)
        machine.quality = 0.5
    assert all(asked.new < asked.old for asked in machine.asked)


def test_without_time_to_spare_quality_stays() -> None:
    machine = Machine(need=AT_EASE, saves=0.0, quality=0.5)
    machine.run(300)
    assert machine.asked == []


@given(need=st.floats(0.1, 3.0), saves=st.floats(0.0, 0.33), quality=st.sampled_from(VALUES))
def test_a_steady_machine_never_goes_back_and_forth(need: float, saves: float, quality: float) -> None:
    """Whatever it needs, all its steps go in one direction, and it stays where it has arrived."""
    machine = Machine(need, saves, quality)
    machine.run(400)
    directions = {asked.new > asked.old for asked in machine.asked}
    assert len(directions) <= 1
    settled = len(machine.asked)
    machine.run(400)
    assert len(machine.asked) == settled


looks = st.tuples(st.floats(0, 1.2), st.integers(0, 3), st.integers(0, 3), st.booleans())


@given(st.lists(looks, max_size=300), st.sampled_from(VALUES))
def test_whatever_happens_quality_moves_by_single_steps_that_are_far_apart(
    found: list[tuple[float, int, int, bool]], quality: float
) -> None:
    """Down by at most one step every 3 s, up by one every 30 s; also while the composer does not answer."""
    ladder, asked = Ladder(), list[Asked]()
    for second, (load, missing, late, answered) in enumerate(found):
        for new in ladder.decide(second, load, {"main": Condition(quality, missing, late)}).values():
            asked.append(Asked(second, quality, new))
            quality = new if answered else quality
    for one in asked:
        assert abs(VALUES.index(one.new) - VALUES.index(one.old)) == 1
    for direction, apart_s in ((False, SETTLE_S), (True, CALM_S)):
        times = [one.at_s for one in asked if (one.new > one.old) == direction]
        assert all(later - earlier >= apart_s for earlier, later in pairwise(times))
    for before, after in pairwise(asked):
        if after.new > after.old:
            assert after.at_s - before.at_s >= CALM_S


@given(st.floats(0, 1))
def test_a_quality_between_steps_counts_as_the_step_below_it(quality: float) -> None:
    lower = Ladder().decide(1.0, 1.0, {"main": Condition(quality, 1, 0)})
    worse = STEPS[STEPS.index(step_of(quality)) + 1 :]
    assert lower == ({"main": worse[0].value} if worse else {})


def test_a_channel_that_comes_back_is_a_new_one() -> None:
    """A worker that takes a channel over waits its 30 s, whatever the previous worker saw."""
    ladder = Ladder()
    for second in range(29):
        ladder.decide(second, 0.1, {"main": Condition(0.5, 0, 0)})
    ladder.decide(29, 0.1, {})
    assert ladder.decide(30, 0.1, {"main": Condition(0.5, 0, 0)}) == {}


def test_the_load_is_the_share_of_time_since_the_last_look() -> None:
    load = Load(10.0)
    load.rendered(0.25)
    load.rendered(0.5)
    assert load.look(11.0) == 0.75
    assert load.look(12.0) == 0.0


def test_time_spent_on_beginning_a_channel_is_no_load() -> None:
    """Its past is rendered only once, so that time is excluded from the measured interval."""
    load = Load(10.0)
    load.rendered(0.25)
    load.caught_up(0.5)
    assert load.look(11.0) == 0.5
    load.caught_up(0.99)
    assert load.look(12.0) == 0.0
