"""An accelerator that every machine has: torch on the CPU, where numpy computes otherwise.

    .venv/bin/pytest -p tests.by_torch tests/gates tests/unit/synth

runs tests on it: the code that renders on CUDA and Metal, with numbers. Tests of numpy's own part fail then.
"""

import os
from typing import Final

import numpy as np
import torch

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Device

# The same processor to torch, and another device than the one whose arrays are numpy's.
DEVICE: Final[Device] = "cpu:0"
# Set where tests are to run on it, in every process.
ASKED: Final = "AURALIS_TESTS_BY_TORCH"


def uploaded(home: arrays.Home, array: np.ndarray) -> arrays.Array:
    """``array`` in memory of its own, as an upload has it."""
    return array if home is None else torch.from_numpy(array.copy()).to(home)


def pytest_configure() -> None:
    """For all tests, where this module is named as a plugin."""
    os.environ[ASKED] = "yes"
