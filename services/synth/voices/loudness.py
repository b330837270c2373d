"""How loud a voice's partials can get: partials that are too quiet to be heard need not be rendered."""

from typing import Final

import numpy as np

from services.synth.dsp.arrays import Float64Array
from services.synth.voices.columns import Slow
from services.synth.voices.levels import NEUTRAL
from services.synth.voices.pitched import NEPERS
from services.synth.voices.voice import BRIGHTNESSES, Rows


def levels_db(rows: Rows, brightness: Float64Array | float = NEUTRAL) -> Float64Array:
    """How loud each partial can get: in its loudest spectrum, the low-pass as open as its swing makes it.

    ``brightness`` is 0-1, or ``[range, 1]`` for an answer of ``[range, partial]``.
    """
    slow = rows.slow.astype(float).T
    level_db = np.log(np.maximum(slow[Slow.GAIN], 1e-9)) / NEPERS
    level_db += slow[Slow.FIRST :].max(axis=0, initial=-np.inf) / NEPERS
    octaves = slow[Slow.CUTOFF_OCTAVES] * (brightness - NEUTRAL) + slow[Slow.CUTOFF_SWING]
    ratio = slow[Slow.FREQ_HZ] / slow[Slow.CUTOFF_HZ] * np.exp2(-octaves)
    return np.asarray(level_db - 10 * np.log10(1 + np.square(np.square(ratio))))


def loudest_db(rows: Rows) -> Float64Array:
    """An upper bound of each partial's level in either ear, by range of brightness: ``[range, partial]``."""
    tilt_db, wander_db = (rows.slow[:, column].astype(float) / NEPERS for column in (Slow.TILT, Slow.WANDER))
    ear_db = 20 * np.log10(np.maximum(rows.stereo.max(axis=1, initial=0.0), 1e-9))
    tilted = np.maximum(tilt_db * (_DARKEST - NEUTRAL), tilt_db * (_BRIGHTEST - NEUTRAL))
    return np.asarray(levels_db(rows, _BRIGHTEST) + tilted + wander_db + ear_db)


_BRIGHTEST: Final = np.array(BRIGHTNESSES)[:, None]
_DARKEST: Final = np.concatenate([np.zeros((1, 1)), _BRIGHTEST[:-1]])
