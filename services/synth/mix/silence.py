"""Sums of signals that may be silent: None is exact silence, and costs nothing."""

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array


def total(one: Array | None, other: Array | None) -> Array | None:
    """The sum of both, ``[ear, frame]``."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def crossfaded(old: Array | None, new: Array | None, share: NDArray[np.floating]) -> Array | None:
    """``old`` into ``new`` (``[ear, frame]``) by ``share`` (``[frame]``, 0 to 1).

    Values that are equal in both stay exactly the same.
    """
    heard = new if old is None else old
    if heard is None:
        return None
    part = arrays.at(arrays.home_of(heard), share.astype(np.float32))
    if new is None:
        return old * (1 - part)
    return new * part if old is None else old + (new - old) * part
