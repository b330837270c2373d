"""The device that tests render on; `AURALIS_DEVICE=cuda make test ARGS=tests` selects a GPU."""

import os
from typing import Final

import numpy as np
import torch

from services.synth import device
from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array, Device
from tests import by_torch

if by_torch.ASKED in os.environ:
    arrays.at = by_torch.uploaded
    DEVICE: Final[Device] = by_torch.DEVICE
else:
    DEVICE = device.choose(os.environ.get("AURALIS_DEVICE", "cpu"))


def of_kind(kind: str, values: np.ndarray) -> Array:
    """``values`` as a numpy array, or as a torch array on :data:`DEVICE`."""
    return torch.from_numpy(values).to(DEVICE) if kind == "torch" else values


def there(values: np.ndarray) -> Array:
    """``values`` in single precision, in the form in which :data:`DEVICE` computes with them."""
    return arrays.single(DEVICE, values)


def numpy_of(array: Array | None) -> np.ndarray:
    """An array of either kind, which must not be silence, as a numpy array."""
    assert array is not None
    return arrays.fetched(array)
