"""What the figures were measured on."""

import os
import platform
from pathlib import Path

import scipy
import torch
from threadpoolctl import threadpool_info

from auralis import __version__
from services.synth.dsp.arrays import CPU, Device


def described(device: Device) -> dict[str, str]:
    """The device's name and the versions that matter."""
    return {
        "device": f"{device}: {_name(device)}",
        "cpu": f"{_cpu_name()}, {os.cpu_count()} cores",
        "auralis": __version__,
        "scipy": scipy.__version__,
        "torch": str(torch.__version__),
        "blas": _blas(),
        "python": platform.python_version(),
    }


def _name(device: Device) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name(device))
    return _cpu_name() if device == CPU else platform.machine()


def _blas() -> str:
    """The BLAS in use and the processors it targets; ``OPENBLAS_CORETYPE`` may select slower kernels."""
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    kernels = [f"{each['internal_api']} {each['version']} {each.get('architecture', '')}" for each in found]
    return ", ".join(kernels) or "none"


def _cpu_name() -> str:
    """The CPU's name as Linux reports it; elsewhere the kind of processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
