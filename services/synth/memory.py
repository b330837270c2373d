"""Memory that many channels need for seconds, and then no more.

Voices and tapes come and go in many sizes, so what is free lies in between what is not: glibc keeps such
pages until it is told to look for them. Torch makes that worse: it asks for aligned memory, which glibc
before 2.38 never takes from a freed piece of the same size.
"""

import ctypes
import sys

import torch


def kept(tensor: torch.Tensor) -> torch.Tensor:
    """A contiguous copy that is to stay for seconds: on the CPU in memory that can be used again after it."""
    if tensor.device.type != "cpu":
        return tensor.clone(memory_format=torch.contiguous_format)
    return torch.from_numpy(tensor.numpy().copy(order="C"))


def give_back() -> None:
    """Give pages without anything in them back, where the C library knows how to (glibc: ``malloc_trim``)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
