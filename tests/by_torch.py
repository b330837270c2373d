"""An accelerator that every machine has: what numpy computes on the CPU, torch computes there instead.

    .venv/bin/pytest -p tests.by_torch tests/gates tests/unit/synth

runs tests on it: the code that renders on CUDA and Metal, with numbers. Tests of numpy's own part fail then.
"""

import numpy as np
import torch

from services.synth.dsp import arrays


def never(_device: torch.device) -> bool:
    """No device's arrays are numpy's."""
    return False


def uploaded(home: arrays.Home, array: np.ndarray) -> arrays.Array:
    """``array`` in memory of its own, as an upload has it."""
    return array if home is None else torch.from_numpy(array.copy()).to(home)


def pytest_configure() -> None:
    """For all tests, where this module is named as a plugin."""
    arrays.by_numpy = never
    arrays.at = uploaded
