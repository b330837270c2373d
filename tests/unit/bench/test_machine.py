"""Every figure is reported together with what it was measured on."""

import platform

import scipy
import torch

from services.bench.machine import described


def test_all_that_matters_for_speed_is_named() -> None:
    """The processor, the versions, and the kernel that numpy multiplies with."""
    found = described("cpu")
    assert found["device"].startswith("cpu: ")
    assert found["python"] == platform.python_version()
    assert found["scipy"] == scipy.__version__
    assert found["torch"] == str(torch.__version__)
    assert found["blas"].split()[0] in {"openblas", "mkl", "blis", "accelerate"} or found["blas"] == "none"
