"""Grains: a rain of short tones while a note sounds, drawn second by second."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from auralis.score.events import Note
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


def seconds_of(note: Note, audio: AudioFormat) -> range:
    """The seconds of the note in which grains begin."""
    return range(max(1, int(audio.seconds(note.duration_frames))))


def grain_rows(playing: Playing, grains: Grains, second: int) -> Rows:
    """The grains that may begin in one second of the note: intensity decides which of them do."""
    draw, levels_db = playing.draw, np.array(grains.harmonics_db)
    count = int(draw.poisson(grains.rate_hz * 2 ** (abs(grains.intensity_octaves) / 2)))
    grain = np.repeat(np.arange(count), len(levels_db))
    freq_hz = np.outer(_frequencies(playing, grains, count), np.arange(1, len(levels_db) + 1)).ravel()
    t60_s = _between(grains.t60_s, count, draw)[grain]
    level_db = grains.level_db + draw.normal(0, grains.level_spread_db, count)[grain]
    slow, fast, bend = empty_tables(len(grain))
    slow[:, Slow.GAIN] = 10 ** ((level_db + np.tile(levels_db, count)) / 20) * playing.level
    slow[:, Slow.GAIN] *= _risen(playing, second)
    slow[:, Slow.FREQ_HZ] = freq_hz
    _chosen(slow, grains, draw.random(count)[grain])
    fast[:, Fast.DELAY_S] = np.sort(draw.random(count))[grain]
    fast[:, Fast.ATTACK_S] = _STRUCK_S + grains.attack_share * t60_s
    fast[:, Fast.FAST] = 60 * NEPERS / t60_s
    bend[:, Bend.DELAY_S] = fast[:, Fast.DELAY_S]
    bend[:, Bend.SLIDE_S] = t60_s / 4
    bend[:, Bend.SLIDE_TURNS] = freq_hz * (2 ** (-grains.rise_cents / 1200) - 1) * t60_s / 4
    pan = draw.uniform(-1, 1, count)[grain] * grains.pan + playing.note.pan
    rows = rows_of((slow, fast, bend, stereo_gains(pan, freq_hz, 1.0)), freq_hz, draw)
    return rows.where(freq_hz < _HIGHEST * playing.audio.sample_rate_hz)


def _risen(playing: Playing, second: int) -> float:
    """Grains come and go with the note."""
    envelope, left_s = playing.patch.envelope, playing.gate_s - second
    return float(np.clip(min((second + 0.5) / envelope.attack_s, (left_s + 0.5) / envelope.release_s), 0, 1))


def _chosen(slow: Array, grains: Grains, chance: Array) -> None:
    """Each grain is silent up to a chance intensity (or from it on), so that their rate follows it."""
    octaves = abs(grains.intensity_octaves)
    if not octaves:
        return
    # The share of all grains that sound at each of the three intensities 0, 0.5 and 1.
    shares = 2 ** (octaves * (np.array([0.0, 0.5, 1.0]) - 1.0))
    silent = chance[:, None] >= (shares if grains.intensity_octaves > 0 else shares[::-1])
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
