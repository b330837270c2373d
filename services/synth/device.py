"""Choosing where to render."""

import platform
import sys
from pathlib import Path
from typing import Final

from auralis.errors import InvalidValue
from services.synth.dsp import arrays
from services.synth.dsp.arrays import CPU, Device

# Device files by which Linux shows a GPU that torch may support: NVIDIA, NVIDIA's small boards, WSL, AMD.
_SIGNS: Final = ("/dev/nvidiactl", "/dev/nvmap", "/dev/dxg", "/dev/kfd")


def choose(wanted: str) -> Device:
    """The device for ``auto``, ``cuda``, ``mps`` or ``cpu``; auto prefers CUDA, then Metal, then the CPU.

    If the CPU is wanted, or auto finds no sign of an accelerator, torch is not loaded.

    Raises:
        InvalidValue: this machine does not have the device.
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
    """The devices that torch finds on this machine, the fastest first; the CPU is always among them."""
    torch = arrays.lazy_torch()
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), CPU: True}
    return [name for name, there in found.items() if there]


def may_be_accelerated(signs: tuple[str, ...] = _SIGNS) -> bool:
    """Whether torch has to be asked: on Linux if a file of ``signs`` exists, on a Mac if the chip is Apple's.

    On any other system, always.
    """
    if sys.platform == "linux":
        return any(Path(sign).exists() for sign in signs)
    return sys.platform != "darwin" or platform.machine() == "arm64"
