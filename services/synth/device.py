"""Choosing where to render."""

import torch

from auralis.errors import InvalidValue


def choose(wanted: str) -> torch.device:
    """The device for ``auto``, ``cuda``, ``mps`` or ``cpu``; auto takes CUDA, then Metal, then the CPU.

    Raises:
        InvalidValue: the device is not there.
    """
    there = available()
    if wanted == "auto":
        return torch.device(there[0])
    if wanted not in there:
        raise InvalidValue("AURALIS_DEVICE", wanted, f"on this machine auto or {' or '.join(there)}")
    return torch.device(wanted)


def available() -> list[str]:
    """What this machine has, the fastest first; the CPU is always there."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, there in found.items() if there]
