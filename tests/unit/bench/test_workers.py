"""What a worker costs."""

import sys

import pytest

from auralis.audio import AudioFormat
from auralis.errors import AuralisError
from services.bench.channels import mix_rows, piece
from services.bench.workers import _child_s, _fresh, takeover_rows

CPU = "cpu"


def test_a_fresh_process_renders_and_tells_its_memory() -> None:
    """The time in seconds until its first chunk, and the memory in MB."""
    elapsed, peak_mb = _fresh(CPU, 2, [piece(1, 1.0, AudioFormat())])
    assert 0.1 < elapsed < 60
    assert 100 < peak_mb < 2000


def test_the_clock_stops_at_the_first_line() -> None:
    """Later output is returned, but its time does not count."""
    program = "import time; print('first', flush=True); time.sleep(0.5); print('then')"
    elapsed, rest = _child_s([sys.executable, "-c", program])
    assert rest == ["then"]
    assert elapsed < 0.5 + 1.0


def test_a_process_that_fails_is_one_line() -> None:
    """The line is the last one that it printed."""
    with pytest.raises(AuralisError, match="the measured process failed: ZeroDivisionError"):
        _child_s([sys.executable, "-c", "1 / 0"])


def test_a_takeover_costs_more_than_going_on() -> None:
    """The past that can still be heard is rendered once."""
    (row,) = takeover_rows(1, CPU)
    assert row.ratio is not None
    assert row.ratio < 0.5


def test_every_batch_size_renders_every_channel() -> None:
    """There are as many samples as there are batches in a round."""
    rows = mix_rows([1, 2], 0.2, CPU)
    assert [row.measure for row in rows] == [f"full mix, batch {n}: a channel's chunk" for n in (1, 2)]
    assert [len(row.samples.values) for row in rows if row.samples] == [4, 2]
    assert all(row.ratio == pytest.approx(100 / row.samples.median) for row in rows if row.samples)
