"""Memory that many channels need for seconds, and then no more.

Voices and tapes come and go in many sizes, so what is free lies in between what is not: glibc keeps such
pages until it is told to look for them. And what threads take lies in heaps of their own, whose free ends are
never given back.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array

_LINUX: Final = sys.platform == "linux"
_M_ARENA_MAX: Final = -8  # as malloc.h has it
# Giving memory back takes 5 ms, for which chunks wait, and what comes after takes 25 MB anew, page by page.
# So it is done seldom, but for who comes near to the 600 MB that a worker may have.
_SELDOM_S: Final = 15.0
_OFTEN_S: Final = 1.0
_MUCH_BYTES: Final = 500 * 2**20


def kept(array: Array) -> Array:
    """A contiguous copy that is to stay for seconds, in memory of its own."""
    if arrays.is_numpys(array):
        return array.copy(order="C")
    return array.clone(memory_format=arrays.lazy_torch().contiguous_format)


def kept_across(rows: Array) -> Array:
    """The transpose of a few ``rows``, ``[value, row]`` from ``[row, value]``, as :func:`kept` copies."""
    if not arrays.is_numpys(rows):
        return kept(rows.T)
    across = np.empty(rows.T.shape, rows.dtype)
    for place, row in enumerate(rows):  # one by one: a third of the time that the transpose takes
        across[:, place] = row
    return across


def share_one_heap() -> None:
    """Have all threads that are yet to come take their memory from one heap (glibc: ``mallopt``)."""
    _call("mallopt", _M_ARENA_MAX, 1)


def resident_bytes() -> int:
    """How much this process has in memory; 0 where nothing could be given back."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if _LINUX else 0


def is_due(since_s: float, resident: int) -> bool:
    """Whether :func:`give_back` is to be called, so many seconds after the last time."""
    return since_s > (_OFTEN_S if resident > _MUCH_BYTES else _SELDOM_S)


def give_back() -> None:
    """Give pages without anything in them back (glibc: ``malloc_trim``)."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    """Call a function of the C library, if it is one that has it."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None) if _LINUX else None
    if function is not None:
        function(*numbers)
