"""Memory that has been freed, given back to the system.

Voices and tapes come and go in many sizes, so what is free lies in between what is not: glibc keeps such
pages until it is told to look for them.
"""

import ctypes
import sys


def give_back() -> None:
    """Give pages without anything in them back, where the C library knows how to (glibc: ``malloc_trim``)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
