"""Where the time goes."""

import time
from types import SimpleNamespace

import pytest

from services.bench.stages import REST, STAGES, Stopwatch, stage_rows, watched
from services.synth.dsp import master


def test_what_is_within_another_stage_counts_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each moment counts towards the innermost stage alone."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    watch = Stopwatch(lambda: None)
    with watch.running("outer"):
        clock.now += 1
        with watch.running("inner"):
            clock.now += 5
        clock.now += 2
    clock.now += 100
    assert watch.seconds == {"outer": 3, "inner": 5}


def test_functions_are_themselves_again_afterwards() -> None:
    """However the block ends."""
    before = master.to_pcm
    with pytest.raises(KeyError), watched(Stopwatch(lambda: None)):  # noqa: PT012  the block's end is meant
        assert master.to_pcm is not before
        raise KeyError
    assert master.to_pcm is before


def test_every_stage_is_there_and_takes_time() -> None:
    """Every function that a stage names exists and is called; together the stages make up the whole."""
    rows = stage_rows(0.3, "cpu")
    assert [row.measure for row in rows] == [f"share of time: {stage}" for stage in (*STAGES, REST)]
    shares = [row.samples for row in rows]
    assert all(samples is not None and min(samples.values) > 0 for samples in shares)
    totals = [sum(values) for values in zip(*(s.values for s in shares if s), strict=True)]
    assert totals == pytest.approx([100.0] * len(totals))
