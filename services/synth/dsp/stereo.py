"""Left and right: where a source stands between them, and how much alike they are in a diffuse field."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_EAR_DISTANCE_M: Final = 0.22
_SPEED_OF_SOUND_M_S: Final = 343.0


def equal_power(position: Array | float) -> Array:
    """Gains ``[..., ear]`` of a source at ``position``, -1 (left) to 1; their squares add to 1."""
    angle = (np.asarray(position) + 1) * (np.pi / 4)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def diffuse_coherence(freq_hz: Array) -> Array:
    """The coherence of two points an ear's distance apart, 1 at 0 Hz: ``[frequency]``.

    The diffuse field's sinc to its first zero, 780 Hz. Above, the field would be slightly opposed here and
    there; independent ears lose less in mono.
    """
    turns = np.minimum(2 * freq_hz * _EAR_DISTANCE_M / _SPEED_OF_SOUND_M_S, 1.0)
    return np.asarray(np.sinc(turns))
