"""How loud a voice's partials can get: what is too quiet to be heard need not be rendered."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.synth.voices.columns import Slow
from services.synth.voices.levels import NEUTRAL
from services.synth.voices.pitched import NEPERS
from services.synth.voices.voice import BRIGHTNESSES, Rows

Array = NDArray[np.float64]


def levels_db(rows: Rows, brightness: float = NEUTRAL) -> Array:
    """How loud each partial can get: in its loudest spectrum, through the low-pass where it opens itself."""
    slow = rows.slow.astype(float)
    gain_db = np.log(np.maximum(slow[:, Slow.GAIN], 1e-9)) / NEPERS
    morph_db = slow[:, Slow.FIRST :].max(axis=1, initial=-np.inf) / NEPERS
    octaves = slow[:, Slow.CUTOFF_OCTAVES] * (brightness - NEUTRAL) + slow[:, Slow.CUTOFF_SWING]
    low_pass_db = -10 * np.log10(1 + (slow[:, Slow.FREQ_HZ] / (slow[:, Slow.CUTOFF_HZ] * 2**octaves)) ** 4)
    return np.asarray(gain_db + morph_db + low_pass_db)


def loudest_db(rows: Rows) -> Array:
    """The level that no partial rises over in either ear, by range of brightness: ``[range, partial]``."""
    tilt_db, wander_db = (rows.slow[:, column].astype(float) / NEPERS for column in (Slow.TILT, Slow.WANDER))
    ear_db = 20 * np.log10(np.maximum(rows.stereo.max(axis=1, initial=0.0), 1e-9))
    ranges = pairwise((0.0, *BRIGHTNESSES))
    tilted = (np.maximum(tilt_db * (dark - NEUTRAL), tilt_db * (light - NEUTRAL)) for dark, light in ranges)
    opened = (levels_db(rows, brightness) for brightness in BRIGHTNESSES)
    return np.array([db + tilt + wander_db + ear_db for db, tilt in zip(opened, tilted, strict=True)])
