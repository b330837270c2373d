"""The steps of quality, and what each leaves out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auralis.score.events import Automation
from services.synth.quality import STEPS, WHOLE, step_of, steps_at


def test_each_step_leaves_out_more() -> None:
    """From full quality to 0 both thresholds rise."""
    assert STEPS[0] == WHOLE
    assert STEPS[-1].value == 0.0
    for better, worse in pairwise(STEPS):
        assert worse.value < better.value
        assert worse.partial_db > better.partial_db
        assert worse.note_db >= better.note_db


def test_partials_go_before_notes() -> None:
    """The first steps keep every note."""
    assert [step.note_db > -100 for step in STEPS] == [False, False, False, True, True]


@given(st.floats(0, 1))
def test_every_value_has_a_step_which_is_the_best_that_does_not_exceed_it(value: float) -> None:
    step = step_of(value)
    assert step.value <= value
    assert all(other.value > value for other in STEPS[: STEPS.index(step)])


def test_a_score_without_ramps_has_full_quality() -> None:
    assert steps_at([], (0, 10)) == [WHOLE, WHOLE]


def test_a_step_is_in_force_from_its_frame_on() -> None:
    ramps = [Automation(100, "quality", 0, 0.5), Automation(200, "quality", 0, 1.0)]
    assert [step.value for step in steps_at(ramps, (0, 99, 100, 199, 200))] == [1.0, 1.0, 0.5, 0.5, 1.0]
