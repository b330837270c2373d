"""Memory that many channels need for seconds, and how it is given back to the system.

Voices and tapes come and go in many sizes, so free memory lies between blocks in use: glibc keeps such pages
until it is told to release them. Besides, threads allocate from heaps of their own, whose free ends are never
given back.
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
_M_ARENA_MAX: Final = -8  # from malloc.h
# Giving memory back takes 5 ms, for which chunks wait, and afterwards 25 MB are paged in again, page by page.
# So it is done seldom, except by a worker that nears the 600 MB that it may use.
_SELDOM_S: Final = 15.0
_OFTEN_S: Final = 1.0
_MUCH_BYTES: Final = 500 * 2**20


def kept(array: Array) -> Array:
    """A contiguous copy in memory of its own, for what is to stay for seconds."""
    if arrays.is_numpys(array):
        return array.copy(order="C")
    return array.clone(memory_format=arrays.lazy_torch().contiguous_format)


def kept_across(rows: Array) -> Array:
    """A few ``rows`` transposed, ``[value, row]`` from ``[row, value]``, and copied as by :func:`kept`."""
    if not arrays.is_numpys(rows):
        return kept(rows.T)
    across = np.empty(rows.T.shape, rows.dtype)
    for place, row in enumerate(rows):  # row by row: in a third of the time of copying the transpose
        across[:, place] = row
    return across


def share_one_heap() -> None:
    """Have all threads that start from now on allocate from one heap (glibc: ``mallopt``)."""
    _call("mallopt", _M_ARENA_MAX, 1)


def resident_bytes() -> int:
    """The resident memory of this process; 0 where none could be given back (other systems than Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if _LINUX else 0


def is_due(since_s: float, resident: int) -> bool:
    """Whether :func:`give_back` is due, ``since_s`` seconds after its last call, at ``resident`` bytes."""
    return since_s > (_OFTEN_S if resident > _MUCH_BYTES else _SELDOM_S)


def give_back() -> None:
    """Give empty pages back to the system (glibc: ``malloc_trim``)."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    """Call a function of the C library, if this library has it."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None) if _LINUX else None
    if function is not None:
        function(*numbers)
