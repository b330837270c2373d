"""The reference: a voice by definition, with level and phase of every sine in float64 at every sample.

It uses only the columns of a voice's tables and none of the renderer: no grids, no borders, no chunks, no
interpolation, no table of sines.
"""

import numpy as np

from auralis.audio import AudioFormat
from services.synth import automation
from services.synth.dsp.arrays import Float64Array
from services.synth.mix.desk import Flat
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.sounding import Sounding
from services.synth.voices.columns import Bend, Fast, Hiss, Slow
from services.synth.voices.voice import Rows, Voice
from tests.device import DEVICE, numpy_of

SEED = 7
_TURN = 2 * np.pi
_VIBRATO_GROWS_S = 0.7
_ROWS_AT_ONCE = 8


def partials(
    voice: Voice, start_frame: int, frames: int, audio: AudioFormat, intensity: float = 0.5
) -> Float64Array:
    """The audio of ``voice``'s partials in ``frames`` from ``start_frame`` on: ``[ear, frame]``."""
    rate_hz, rows = audio.sample_rate_hz, voice.rows
    since_s = (start_frame - voice.timing.at + np.arange(frames)) / rate_hz
    summed = np.zeros((2, frames))
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows.where((np.arange(len(rows)) // _ROWS_AT_ONCE) == first // _ROWS_AT_ONCE)
        summed += some.stereo.T.astype(float) @ _sines(some, since_s, intensity)
    return summed


def _sines(rows: Rows, since_s: Float64Array, intensity: float) -> Float64Array:
    """``[partial, frame]``."""
    level = slow(rows.slow.astype(float).T[..., None], since_s, intensity)
    level = level * fast(rows.fast.astype(float).T[..., None], since_s)
    turns = rows.freq_hz[:, None] * since_s + rows.phase_turns[:, None]
    return level * np.cos(_TURN * (turns + bent(rows.bend.astype(float).T[..., None], since_s)))


def slow(table: Float64Array, since_s: Float64Array, intensity: float) -> Float64Array:
    """Levels by the slow columns of a table ``[column, partial, ...]``."""
    bright = brightness(np.array([intensity]))[0] - 0.5
    swings = [
        table[depth] * np.sin(_TURN * (table[rate] * since_s + table[turns]))
        for depth, rate, turns in (
            (Slow.WANDER, Slow.WANDER_HZ, Slow.WANDER_TURNS),
            (Slow.MORPH_SWING, Slow.MORPH_HZ, Slow.MORPH_TURNS),
            (Slow.CUTOFF_SWING, Slow.CUTOFF_SWING_HZ, Slow.CUTOFF_TURNS),
        )
    ]
    place = table[Slow.MORPH_AT] + table[Slow.MORPH_INTENSITY] * (intensity - 0.5) + swings[1]
    place = np.clip(place, 0, 1)
    low, high = table[Slow.MIDDLE] - table[Slow.FIRST], table[Slow.LAST] - table[Slow.MIDDLE]
    morphed = table[Slow.FIRST] + low * np.minimum(2 * place, 1) + high * np.maximum(2 * place - 1, 0)
    cutoff_hz = table[Slow.CUTOFF_HZ] * 2 ** (table[Slow.CUTOFF_OCTAVES] * bright + swings[2])
    low_pass = 1 / np.sqrt(1 + (table[Slow.FREQ_HZ] / cutoff_hz) ** 4)
    return np.asarray(table[Slow.GAIN] * low_pass * np.exp(swings[0] + morphed + table[Slow.TILT] * bright))


def fast(table: Float64Array, since_s: Float64Array) -> Float64Array:
    """Levels by envelope and tremolo."""
    own_s = np.maximum(since_s - table[Fast.DELAY_S], 0)
    share = table[Fast.SLOW_SHARE]
    decay = (1 - share) * np.exp(-table[Fast.FAST] * own_s) + share * np.exp(-table[Fast.SLOW] * own_s)
    released = 1 - _smoothstep((since_s - table[Fast.GATE_S]) / table[Fast.RELEASE_S])
    turns = table[Fast.TREMOLO_HZ] * since_s + table[Fast.TREMOLO_TURNS]
    tremolo = np.exp(table[Fast.TREMOLO] * np.sin(_TURN * turns))
    return np.asarray(_smoothstep(own_s / table[Fast.ATTACK_S]) * decay * released**2 * tremolo)


def bent(table: Float64Array, since_s: Float64Array) -> Float64Array:
    """The phase (turns) that vibrato and slides add."""
    grown = np.clip((since_s - table[Bend.VIBRATO_AFTER_S]) / _VIBRATO_GROWS_S, 0, 1)
    turns = table[Bend.VIBRATO_HZ] * since_s + table[Bend.VIBRATO_PHASE_TURNS]
    own_s = np.maximum(since_s - table[Bend.DELAY_S], 0)
    slide = table[Bend.SLIDE_TURNS] * -np.expm1(-own_s / table[Bend.SLIDE_S])
    return np.asarray(table[Bend.VIBRATO_TURNS] * grown * np.sin(_TURN * turns) + slide)


def brightness(intensity: Float64Array) -> Float64Array:
    """The brightness that ``intensity`` gives while the brightness control is neutral."""
    return np.asarray(automation.brightness(intensity))


def noise_levels(voice: Voice, since_s: Float64Array) -> Float64Array:
    """Gains of the noise bands without gusts: ``[noise, band, time]``."""
    table = voice.hiss.astype(float).transpose(2, 0, 1)[..., None]
    own_s = since_s - table[Hiss.DELAY_S]
    risen = _smoothstep(own_s / table[Hiss.ATTACK_S]) ** table[Hiss.RISE_EXPONENT]
    released = 1 - _smoothstep((since_s - table[Hiss.GATE_S]) / table[Hiss.RELEASE_S])
    decayed = np.exp(-np.maximum(own_s - table[Hiss.ATTACK_S], 0) * table[Hiss.DECAY_NEPERS_S])
    return np.asarray(table[Hiss.GAIN] * risen * released**2 * decayed)


def _smoothstep(x: Float64Array) -> Float64Array:
    x = np.clip(x, 0, 1)
    return np.asarray(x**2 * (3 - 2 * x))


def rendered(
    voices: list[Voice], first_seq: int, chunks: int, audio: AudioFormat, intensity: float = 0.5
) -> Float64Array:
    """The voices' audio from the renderer, chunk by chunk: ``[ear, frame]``."""
    renderer, curve = LayerRenderer(audio, DEVICE, Flat()), np.full(2, intensity)
    found = np.zeros((2, chunks, audio.frames_per_chunk))
    for seq in range(first_seq, first_seq + chunks):
        start, end = audio.start_frame(seq), audio.end_frame(seq)
        sounding = [v for v in voices if v.timing.silent > start and v.timing.at < end]
        part = Sounding(SEED, start, sounding, brightness(curve), curve)
        heard = renderer.render([part])[0]
        if heard is not None:
            found[:, seq - first_seq] = numpy_of(heard)
    return found.reshape(2, -1)


def error_db(found: Float64Array, expected: Float64Array) -> float:
    """The largest difference, relative to the expected peak."""
    return float(20 * np.log10(np.abs(found - expected).max() / np.abs(expected).max() + 1e-12))
