"""Thinning: a voice without those of its partials that are quiet beside the loudest one."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.synth.voices.columns import Slow
from services.synth.voices.pitched import NEPERS
from services.synth.voices.voice import Rows, Voice


def thinned(voice: Voice, floor_db: float) -> Voice:
    """``voice`` without the partials that lie under ``floor_db`` beside its loudest one."""
    level_db = levels_db(voice.rows)
    keep = level_db >= level_db.max(initial=-np.inf) + floor_db
    if keep.all():
        return voice
    ends = voice.timing.ends
    timing = replace(voice.timing, ends=None if ends is None else ends[keep])
    return Voice(voice.layer, timing, voice.rows.where(keep), voice.hiss, voice.lively, voice.bends)


def levels_db(rows: Rows) -> NDArray[np.float64]:
    """How loud each partial can get: in its loudest spectrum, through the low-pass where it stands."""
    slow = rows.slow.astype(float)
    gain_db = np.log(np.maximum(slow[:, Slow.GAIN], 1e-9)) / NEPERS
    morph_db = slow[:, Slow.FIRST :].max(axis=1, initial=-np.inf) / NEPERS
    cutoff_hz = slow[:, Slow.CUTOFF_HZ] * 2 ** slow[:, Slow.CUTOFF_SWING]
    low_pass_db = -10 * np.log10(1 + (slow[:, Slow.FREQ_HZ] / cutoff_hz) ** 4)
    return np.asarray(gain_db + morph_db + low_pass_db)
