"""Freed memory goes back to the system, and what is kept for seconds can be used again."""

import sys

import numpy as np
import psutil
import pytest
import torch

from services.synth.memory import give_back, kept


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
    left = arrays[::2]
    del arrays
    give_back()
    before = process.memory_info().rss
    del left[::2]
    freed = 1000 * 32 * 1024
    give_back()
    assert before - process.memory_info().rss > freed // 2


def test_what_is_kept_is_a_copy_in_one_piece() -> None:
    """Of a view, of what was turned round, of one row that stands for two."""
    whole = torch.arange(24.0).reshape(2, 12)
    for view in (whole[:1], whole.T, whole[:1].expand(2, -1), whole[:, ::2]):
        copy = kept(view)
        assert torch.equal(copy, view)
        assert copy.is_contiguous()
        assert copy.untyped_storage().nbytes() == 4 * view.numel()
    whole[:] = 0
    assert copy.any()
