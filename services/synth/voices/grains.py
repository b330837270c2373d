"""Grains: a rain of short tones while a note sounds, drawn second by second."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.patches.schema import Grains
from services.synth.voices.columns import Bend, Fast, Slow
from services.synth.voices.pitched import NEPERS, empty_tables, rows_of, stereo_gains
from services.synth.voices.playing import Playing
from services.synth.voices.voice import Rows

Array = NDArray[np.float64]

_STRUCK_S: Final = 0.003
_DETUNE_CENTS: Final = 5.0
_HIGHEST: Final = 0.44  # of the sample rate
_SILENT_DB: Final = -60.0


def seconds_of(playing: Playing) -> range:
    """The seconds of the note in which grains begin."""
    return range(max(1, int(playing.gate_s)))


def grain_rows(playing: Playing, grains: Grains) -> Rows:
    """The grains that may begin in one second of the note: intensity decides which of them do."""
    draw = playing.draw
    count = int(draw.poisson(grains.rate_hz * 2 ** (abs(grains.intensity_octaves) / 2)))
    freq_hz = np.minimum(_frequencies(playing, grains, count), _HIGHEST * playing.audio.sample_rate_hz)
    t60_s = _between(grains.t60_s, count, draw)
    slow, fast, bend = empty_tables(count)
    level_db = grains.level_db + draw.normal(0, grains.level_spread_db, count)
    slow[:, Slow.GAIN] = playing.level * 10 ** (level_db / 20)
    slow[:, Slow.FREQ_HZ] = freq_hz
    _chosen(slow, grains, draw)
    fast[:, Fast.DELAY_S] = np.sort(draw.random(count))
    fast[:, Fast.ATTACK_S] = _STRUCK_S + grains.attack_share * t60_s
    fast[:, Fast.FAST] = 60 * NEPERS / t60_s
    bend[:, Bend.DELAY_S] = fast[:, Fast.DELAY_S]
    bend[:, Bend.SLIDE_S] = t60_s / 4
    bend[:, Bend.SLIDE_TURNS] = freq_hz * (2 ** (-grains.rise_cents / 1200) - 1) * t60_s / 4
    stereo = stereo_gains(draw.uniform(-1, 1, count) * grains.pan, freq_hz, 1.0)
    return rows_of((slow, fast, bend, stereo), freq_hz, draw)


def _chosen(slow: Array, grains: Grains, draw: np.random.Generator) -> None:
    """Each grain is silent up to a chance intensity (or from it on), so that their rate follows it."""
    octaves = abs(grains.intensity_octaves)
    if not octaves:
        return
    # The share of all grains that sound at each of the three intensities 0, 0.5 and 1.
    shares = 2 ** (octaves * (np.array([0.0, 0.5, 1.0]) - 1.0))
    silent = draw.random(len(slow))[:, None] >= (shares if grains.intensity_octaves > 0 else shares[::-1])
    slow[:, Slow.FIRST :] = np.where(silent, _SILENT_DB * NEPERS, 0.0)
    slow[:, Slow.MORPH_AT], slow[:, Slow.MORPH_INTENSITY] = 0.5, 1.0


def _frequencies(playing: Playing, grains: Grains, count: int) -> Array:
    draw = playing.draw
    if grains.hz is not None:
        return _between(grains.hz, count, draw)
    semitones = np.array(grains.semitones)[draw.integers(0, len(grains.semitones), count)]
    cents = 100 * semitones + draw.uniform(-_DETUNE_CENTS, _DETUNE_CENTS, count)
    return np.asarray(playing.f0_hz * 2 ** (cents / 1200))


def _between(limits: tuple[float, float], count: int, draw: np.random.Generator) -> Array:
    """Evenly in octaves."""
    low, high = np.log(limits)
    return np.asarray(np.exp(draw.uniform(low, high, count)))
