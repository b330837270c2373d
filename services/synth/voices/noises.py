"""The noise bands of a note, from its patch."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp import noise
from services.synth.dsp.arrays import Float64Array
from services.synth.patches.schema import OCTAVES, Noise
from services.synth.voices.columns import Hiss
from services.synth.voices.pitched import NEPERS, OPEN_S, stereo_gains
from services.synth.voices.playing import Playing

_GUST_OCTAVE: Final = 3  # 250 Hz
_HALF_POWER_DB: Final = 10 * np.log10(2)


def hiss_tables(playing: Playing) -> NDArray[np.float32]:
    """``[noise, band, Hiss]``."""
    tables = [_table(playing, part) for part in playing.patch.noises]
    return np.stack(tables).astype(np.float32) if tables else no_hiss()


def no_hiss() -> NDArray[np.float32]:
    """The tables of a voice without noise."""
    return np.zeros((0, noise.BANDS, len(Hiss)), dtype=np.float32)


def _table(playing: Playing, part: Noise) -> Float64Array:
    table = _of_patch(part).copy()
    table[:, Hiss.GAIN] = _gains(playing, part)
    if not part.t60_s:
        table[:, Hiss.GATE_S] = playing.gate_s
        table[:, Hiss.RELEASE_S] = playing.patch.envelope.release_s
    _gusts(table, part, playing.draw)
    pan = np.array([playing.note.pan + part.pan])
    table[:, Hiss.LEFT], table[:, Hiss.RIGHT] = stereo_gains(pan, np.array([1e4]), 1.0)[0]
    return table


@lru_cache(maxsize=128)
def _of_patch(part: Noise) -> Float64Array:
    """The columns that are the same for every note."""
    table = np.zeros((noise.BANDS, len(Hiss)))
    unopened = part.opening * np.maximum(0.0, np.log2(noise.centres_hz() / 1000))
    table[:, Hiss.DELAY_S] = part.delay_s + part.attack_s * unopened
    table[:, Hiss.ATTACK_S] = part.attack_s * (1 - unopened)
    table[:, Hiss.RISE_EXPONENT] = part.rise_exponent
    table[:, Hiss.INTENSITY] = part.intensity_db * NEPERS
    if part.t60_s:
        t60_s = np.interp(np.arange(noise.BANDS) / 2, np.arange(OCTAVES), np.resize(part.t60_s, OCTAVES))
        table[:, Hiss.DECAY_NEPERS_S] = 60 * NEPERS / t60_s
        table[:, Hiss.GATE_S], table[:, Hiss.RELEASE_S] = OPEN_S, 1.0
    return table


def _gains(playing: Playing, part: Noise) -> Float64Array:
    """Levels by octave as gains by half octave, each with half of its octave's power."""
    patch = playing.patch
    shift = playing.octaves if part.follows_pitch else 0.0
    band_db = (
        np.interp(np.arange(noise.BANDS) / 2 - shift, np.arange(OCTAVES), part.octaves_db) - _HALF_POWER_DB
    )
    level_db = patch.level_db + patch.trim_db + part.level_db
    velocity = playing.note.velocity**part.velocity_exponent
    return np.asarray(10 ** ((level_db + band_db) / 20) * velocity)


def _gusts(table: Float64Array, part: Noise, draw: np.random.Generator) -> None:
    """Draw the gusts: one phase for all bands, or with ``gust_step`` up to a phase of each band's own."""
    octaves = np.arange(noise.BANDS) / 2 - _GUST_OCTAVE
    rate_hz = part.gust_hz * 2 ** draw.uniform(-0.5, 0.5)
    own = draw.uniform(-0.5, 0.5, noise.BANDS) * part.gust_step
    table[:, Hiss.GUST] = np.maximum(part.gust_db + part.gust_octave_db * octaves, 0.0) * NEPERS
    table[:, Hiss.GUST_HZ] = rate_hz
    table[:, Hiss.GUST_TURNS] = draw.random() + own - rate_hz * part.gust_lag_s * octaves
