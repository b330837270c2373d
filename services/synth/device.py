"""Choosing where to render."""

import platform
import sys
from pathlib import Path
from typing import Final

from auralis.errors import InvalidValue
from services.synth.dsp import arrays
from services.synth.dsp.arrays import CPU, Device

# What Linux has where there is a GPU that torch may know: NVIDIA's, its small boards', Windows' WSL's, AMD's.
_SIGNS: Final = ("/dev/nvidiactl", "/dev/nvmap", "/dev/dxg", "/dev/kfd")


def choose(wanted: str) -> Device:
    """The device for ``auto``, ``cuda``, ``mps`` or ``cpu``; auto takes CUDA, then Metal, then the CPU.

    Where the CPU is wanted, or auto finds no sign of anything else, torch is not loaded.

    Raises:
        InvalidValue: the device is not there.
    """
    if wanted == CPU or (wanted == "auto" and not may_be_accelerated()):
        return CPU
    there = available()
    if wanted == "auto":
        return there[0]
    if wanted not in there:
        raise InvalidValue("AURALIS_DEVICE", wanted, f"on this machine auto or {' or '.join(there)}")
    return wanted


def available() -> list[Device]:
    """What this machine has, the fastest first, as torch knows it; the CPU is always there."""
    torch = arrays.lazy_torch()
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), CPU: True}
    return [name for name, there in found.items() if there]


def may_be_accelerated(signs: tuple[str, ...] = _SIGNS) -> bool:
    """Whether torch has to be asked: on Linux where there is one of ``signs``, on a Mac with Apple's chip."""
    if sys.platform == "linux":
        return any(Path(sign).exists() for sign in signs)
    return sys.platform != "darwin" or platform.machine() == "arm64"
