"""Freed memory goes back to the system; arrays kept for seconds are copies in memory of their own."""

import subprocess
import sys

import numpy as np
import psutil
import pytest
import torch

from services.synth.dsp.arrays import Array
from services.synth.memory import give_back, is_due, kept, kept_across, resident_bytes
from tests.device import numpy_of, of_kind

KINDS = ["numpy", "torch"]


def test_memory_may_be_given_back_on_any_system() -> None:
    """On systems without the function nothing happens."""
    give_back()


def in_one_piece(array: Array) -> bool:
    """Whether the values are contiguous and share their memory with nothing else."""
    if isinstance(array, torch.Tensor):
        return array.is_contiguous() and array.untyped_storage().nbytes() == array.nbytes
    return array.flags.c_contiguous and array.base is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 2])
def test_transposed_rows_are_kept_contiguous(rows: int, kind: str) -> None:
    """Without a gap, in memory of their own."""
    values = of_kind(kind, np.arange(20.0).reshape(2, 10))[:rows, 1:8]
    across = kept_across(values)
    assert np.array_equal(numpy_of(across), numpy_of(values).T)
    assert in_one_piece(across)
    values[:] = 0
    assert across.any()


def test_memory_is_given_back_seldom_unless_much_is_in_use() -> None:
    """After a second if more than 500 MB are in use, else after fifteen."""
    due = [[is_due(since_s, mb * 2**20) for mb in (400, 510)] for since_s in (0.9, 1.1, 15.1)]
    assert due == [[False, False], [False, True], [True, True]]


def test_resident_memory_is_what_the_system_reports() -> None:
    """0 on systems where none could be given back."""
    resident = psutil.Process().memory_info().rss if sys.platform == "linux" else 0
    assert resident_bytes() == pytest.approx(resident, rel=0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to")
def test_free_memory_between_blocks_in_use_is_given_back() -> None:
    """Every other one of many arrays is freed: more than half of that memory goes back to the system."""
    process = psutil.Process()
    arrays = [
        np.ones(4096, dtype=np.float64) for _ in range(4000)
    ]  # 32 kB each: too small for glibc to map on its own
    left = arrays[::2]
    del arrays
    give_back()
    before = process.memory_info().rss
    del left[::2]
    freed = 1000 * 32 * 1024
    give_back()
    assert before - process.memory_info().rss > freed // 2


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to")
def test_memory_freed_by_a_thread_is_given_back() -> None:
    """In a process of its own, for here threads may have heaps of their own already."""
    found = subprocess.run(
        [sys.executable, "-c", _IN_A_THREAD], check=True, capture_output=True, text=True, timeout=60
    )
    assert float(found.stdout) < 20e6


_IN_A_THREAD = """
import threading
import numpy as np
import psutil
from services.synth.memory import give_back, share_one_heap

share_one_heap()

np.ones(4_000_000)  # from now on glibc keeps up to 64 MB at the end of a heap

def work():
    arrays = [np.ones(4096) for _ in range(1200)]  # 39 MB, in pieces of 32 kB
    left.append(arrays[0])

left = []
process = psutil.Process()
before = process.memory_info().rss
thread = threading.Thread(target=work)
thread.start()
thread.join()
give_back()
print(process.memory_info().rss - before)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kept_array_is_a_contiguous_copy(kind: str) -> None:
    """Of a slice, of a transpose, of every other value."""
    whole = of_kind(kind, np.arange(24.0, dtype=np.float32).reshape(2, 12))
    for view in (whole[:1], whole.T, whole[:, ::2]):
        copy = kept(view)
        assert np.array_equal(numpy_of(copy), numpy_of(view))
        assert in_one_piece(copy)
    whole[:] = 0
    assert copy.any()
