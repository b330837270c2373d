"""Thinning: a voice without the partials that are quiet relative to its loudest one."""

from dataclasses import replace

import numpy as np

from services.synth.voices.loudness import levels_db
from services.synth.voices.voice import Voice


def thinned(voice: Voice, floor_db: float) -> Voice:
    """``voice`` without the partials below ``floor_db`` relative to its loudest one."""
    level_db = levels_db(voice.rows)
    keep = level_db >= level_db.max(initial=-np.inf) + floor_db
    if keep.all():
        return voice
    timing, rows = voice.timing.where(keep), voice.rows.where(keep)
    return replace(voice, timing=timing, rows=rows, _stages={}, _placed={})
