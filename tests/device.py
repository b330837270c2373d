"""The device that tests render on: `AURALIS_DEVICE=cuda make test ARGS=tests` has them do it there."""

import os
from typing import Final

import numpy as np
import torch

from services.synth import device
from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array

DEVICE: Final = device.choose(os.environ["AURALIS_DEVICE"])


def of_kind(kind: str, values: np.ndarray) -> Array:
    """``values`` as an array of numpy's, or as torch's on :data:`DEVICE`."""
    return torch.from_numpy(values).to(DEVICE) if kind == "torch" else values


def numpy_of(array: Array) -> np.ndarray:
    """An array of either kind as numpy's."""
    return np.asarray(arrays.tensor(array).cpu().numpy())
