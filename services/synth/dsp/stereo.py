"""Left and right: where a source stands between them, and how coherent they are in a diffuse field."""

from typing import Final

import numpy as np

from services.synth.dsp.arrays import Float64Array

# Two points this far apart in a diffuse field hear what two ears do (Cook et al. 1955).
_EAR_DISTANCE_M: Final = 0.22
_SPEED_OF_SOUND_M_S: Final = 343.0


def equal_power(position: Float64Array | float) -> Float64Array:
    """Gains ``[..., ear]`` of a source at ``position``, -1 (left) to 1; their squares add up to 1."""
    angle = (np.asarray(position) + 1) * (np.pi / 4)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def diffuse_coherence(freq_hz: Float64Array) -> Float64Array:
    """The coherence of two points as far apart as ears, 1 at 0 Hz: ``[frequency]``.

    The diffuse field's sinc up to its first zero, 780 Hz, and 0 from there on. The field itself would be
    slightly negative here and there; independent ears lose less in mono.
    """
    turns = np.minimum(2 * freq_hz * _EAR_DISTANCE_M / _SPEED_OF_SOUND_M_S, 1.0)
    return np.asarray(np.sinc(turns))
