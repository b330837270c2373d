"""Freed memory goes back to the system."""

import sys

import numpy as np
import psutil
import pytest

from services.synth.memory import give_back


def test_it_may_be_called_anywhere() -> None:
    """Where there is nothing to call, nothing happens."""
    give_back()


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to")
def test_what_is_free_between_what_is_not_is_given_back() -> None:
    """Every other one of many arrays is freed: half of their memory comes back."""
    process = psutil.Process()
    arrays = [
        np.ones(4096, dtype=np.float64) for _ in range(4000)
    ]  # 32 kB each: none is a mapping of its own
    kept = arrays[::2]
    del arrays
    give_back()
    before = process.memory_info().rss
    del kept[::2]
    freed = 1000 * 32 * 1024
    give_back()
    assert before - process.memory_info().rss > freed // 2
