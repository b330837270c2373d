"""Grains: a rain of short tones while a note sounds, drawn at random second by second."""

from typing import Final, NamedTuple

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.synth.dsp.arrays import Float64Array
from services.synth.patches.schema import Grains
from services.synth.voices.columns import Bend, Fast, Slow
from services.synth.voices.pitched import NEPERS, empty_tables, rows_of, stereo_gains
from services.synth.voices.playing import Playing
from services.synth.voices.voice import Rows

_STRUCK_S: Final = 0.003
_DETUNE_CENTS: Final = 5.0
_HIGHEST: Final = 0.44  # of the sample rate
_SILENT_DB: Final = -60.0


def seconds_of(note: Note, audio: AudioFormat) -> range:
    """The seconds of the note in which grains begin."""
    return range(max(1, int(audio.seconds(note.duration_frames))))


class _Drawn(NamedTuple):
    """Random properties, one element per grain; ``at_s`` counts from the second's beginning."""

    freq_hz: Float64Array
    t60_s: Float64Array
    level_db: Float64Array
    at_s: Float64Array
    pan: Float64Array
    rank: Float64Array  # grains of low rank sound even at low intensity (where intensity thins them: at high)


def grain_rows(playing: Playing, grains: Grains, second: int) -> Rows:
    """The grains that may begin in one second of the note; intensity decides which of them sound."""
    drawn, levels_db = _drawn(playing, grains), np.array(grains.harmonics_db)
    grain = np.repeat(np.arange(len(drawn.at_s)), len(levels_db))
    harmonic = np.tile(np.arange(len(levels_db)), len(drawn.at_s))
    freq_hz, t60_s = drawn.freq_hz[grain] * (harmonic + 1), drawn.t60_s[grain]
    slow, fast, bend = empty_tables(len(grain))
    slow[:, Slow.GAIN] = 10 ** ((drawn.level_db[grain] + levels_db[harmonic]) / 20) * playing.level
    slow[:, Slow.GAIN] *= _risen(playing, second)
    slow[:, Slow.FREQ_HZ] = freq_hz
    _chosen(slow, grains, drawn.rank[grain])
    fast[:, Fast.DELAY_S] = bend[:, Bend.DELAY_S] = drawn.at_s[grain]
    fast[:, Fast.ATTACK_S] = _STRUCK_S + grains.attack_share * t60_s
    fast[:, Fast.FAST] = 60 * NEPERS / t60_s
    bend[:, Bend.SLIDE_S] = t60_s / 4
    bend[:, Bend.SLIDE_TURNS] = freq_hz * (2 ** (-grains.rise_cents / 1200) - 1) * t60_s / 4
    stereo = stereo_gains(drawn.pan[grain] + playing.note.pan, freq_hz, 1.0)
    rows = rows_of((slow, fast, bend, stereo), freq_hz, playing.draw)
    return rows.where(freq_hz < _HIGHEST * playing.audio.sample_rate_hz)


def _drawn(playing: Playing, grains: Grains) -> _Drawn:
    draw = playing.draw
    count = int(draw.poisson(grains.rate_hz * 2 ** (abs(grains.intensity_octaves) / 2)))
    freq_hz = _frequencies(playing, grains, count)
    # By pitch, with an octave of chance: higher grains tend to join later.
    order = np.argsort(np.argsort(np.log2(freq_hz) + draw.random(count)))
    return _Drawn(
        freq_hz=freq_hz,
        t60_s=_between(grains.t60_s, count, draw),
        level_db=draw.normal(grains.level_db, grains.level_spread_db, count),
        at_s=np.sort(draw.random(count)),
        pan=draw.uniform(-1, 1, count) * grains.pan,
        rank=(order + draw.random(count)) / max(count, 1),
    )


def _risen(playing: Playing, second: int) -> float:
    """The gain of a second's grains, which fade in and out with the note's envelope."""
    envelope, left_s = playing.patch.envelope, playing.gate_s - second
    return float(np.clip(min((second + 0.5) / envelope.attack_s, (left_s + 0.5) / envelope.release_s), 0, 1))


def _chosen(slow: Float64Array, grains: Grains, rank: Float64Array) -> None:
    """Silence each grain below (or above) an intensity of its own, so that their rate follows intensity."""
    octaves = abs(grains.intensity_octaves)
    if not octaves:
        return
    # The share of the grains that sounds at each of the intensities 0, 0.5 and 1.
    shares = 2 ** (octaves * (np.array([0.0, 0.5, 1.0]) - 1.0))
    silent = rank[:, None] >= (shares if grains.intensity_octaves > 0 else shares[::-1])
    slow[:, Slow.FIRST :] = np.where(silent, _SILENT_DB * NEPERS, 0.0)
    slow[:, Slow.MORPH_AT], slow[:, Slow.MORPH_INTENSITY] = 0.5, 1.0


def _frequencies(playing: Playing, grains: Grains, count: int) -> Float64Array:
    draw = playing.draw
    if grains.hz is not None:
        return _between(grains.hz, count, draw)
    semitones = np.array(grains.semitones)[draw.integers(0, len(grains.semitones), count)]
    cents = 100 * semitones + draw.uniform(-_DETUNE_CENTS, _DETUNE_CENTS, count)
    return np.asarray(playing.f0_hz * 2 ** (cents / 1200))


def _between(limits: tuple[float, float], count: int, draw: np.random.Generator) -> Float64Array:
    """Random values between two limits, distributed evenly in octaves."""
    low, high = np.log(limits)
    return np.asarray(np.exp(draw.uniform(low, high, count)))
