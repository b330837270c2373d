"""Ramps as functions of the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.score.events import Automation
from services.synth.automation import brightness, curve


def ramp(at: int, length: int, value: float) -> Automation:
    return Automation(at, "intensity", length, value)


def test_default_before_the_first_ramp() -> None:
    """Before anything is written the value is the default."""
    assert curve([], [0, 99], 0.5).tolist() == [0.5, 0.5]
    assert curve([ramp(10, 0, 1.0)], [9, 10, 11], 0.5).tolist() == [0.5, 1.0, 1.0]


def test_a_ramp_is_linear() -> None:
    """At half of its time it is half way."""
    assert curve([ramp(0, 100, 1.0)], [0, 50, 100, 500], 0.0).tolist() == [0.0, 0.5, 1.0, 1.0]


def test_a_ramp_begins_where_the_one_before_has_got_to() -> None:
    """Cutting a ramp short makes no step."""
    values = curve([ramp(0, 100, 1.0), ramp(50, 50, 0.0)], [49, 50, 75, 100], 0.0)
    assert np.allclose(values, [0.49, 0.5, 0.25, 0.0])


def test_thousands_of_ramps_may_overlap() -> None:
    """Each begins where the one before has got to, however many are under way."""
    ramps = [ramp(at, 1_000_000, 1.0) for at in range(5000)]
    assert curve(ramps, [5000], 0.0).tolist() == [pytest.approx(1 - (1 - 1e-6) ** 5000)]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 200), st.floats(0, 1)), max_size=6))
def test_no_ramp_steps(ramps: list[tuple[int, int, float]]) -> None:
    """However ramps overlap, the value moves from frame to frame by no more than the steepest ramp does."""
    ordered = sorted((ramp(*r) for r in ramps), key=lambda r: r.at_frame)
    distinct = [
        r for i, r in enumerate(ordered) if i + 1 == len(ordered) or ordered[i + 1].at_frame != r.at_frame
    ]
    values = curve(distinct, range(800), 0.5)
    steepest = max((1 / r.ramp_frames for r in distinct), default=0.0)
    assert np.abs(np.diff(values)).max(initial=0.0) <= steepest + 1e-9


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_brightness_follows_intensity(pair: list[float]) -> None:
    """More intensity is never darker."""
    low, high = brightness(np.array(sorted(pair)))
    assert 0.0 <= low <= high <= 1.0
