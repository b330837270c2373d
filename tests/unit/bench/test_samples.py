"""Measuring things in alternation."""

import time

import pytest

from services.bench.samples import Samples, interleaved, timed, waiting


def test_measures_take_turns_and_the_first_rounds_do_not_count() -> None:
    """Whatever else the machine is doing affects all of them."""
    calls: list[str] = []

    def measure(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    found = interleaved({"a": lambda: measure("a"), "b": lambda: measure("b")}, 2, warm_up=1)
    assert calls == ["a", "b"] * 3
    assert found == {"a": Samples((3, 5)), "b": Samples((4, 6))}


def test_what_is_measured_is_the_work_and_the_wait_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the device has yet to finish counts as work; what it did before does not."""
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def spend(seconds: float) -> None:
        clock[0] += seconds

    assert timed(lambda: spend(2.0), lambda: spend(1.0))() == 3.0
    waiting("cpu")()


def test_quantiles_are_those_of_the_values() -> None:
    """Another unit scales them."""
    samples = Samples((1.0, 2.0, 3.0, 10.0)).scaled(10)
    assert (samples.median, samples.quantile(0.0), samples.quantile(1.0)) == (25, 10, 100)
