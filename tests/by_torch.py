"""An accelerator that every machine has: torch on the CPU, in place of numpy.

    .venv/bin/pytest -p tests.by_torch tests/gates tests/unit/synth

runs the tests on it: they exercise, with real numbers, the code that renders on CUDA and Metal. Tests of
numpy's own part fail in such a run.
"""

import os
from typing import Final

import numpy as np
import torch

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Device

# To torch this is the same processor, but it counts as another device than the one of numpy's arrays.
DEVICE: Final[Device] = "cpu:0"
# This variable is set, in every process, where tests are to run on it.
ASKED: Final = "AURALIS_TESTS_BY_TORCH"


def uploaded(home: arrays.Home, array: np.ndarray) -> arrays.Array:
    """A copy of ``array`` in separate memory, as after an upload."""
    return array if home is None else torch.from_numpy(array.copy()).to(home)


def pytest_configure() -> None:
    """Applies to all tests when this module is named as a plugin."""
    os.environ[ASKED] = "yes"
