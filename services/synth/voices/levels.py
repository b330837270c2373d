"""Levels and phases of partials and noise bands in closed form: at any time, without what came before.

A ``table`` is ``[column, row]`` with the columns of :mod:`services.synth.voices.columns` (or
``[column, row, 1]``, for times ``[row, border]``), a row being a partial or a noise band; times are seconds
since the note's onset. What a row does not have (no decay, no tremolo) leaves its level exactly as it is.
"""

import math
from typing import Final

from services.synth.dsp.arrays import Array, functions
from services.synth.voices.columns import Bend, Fast, Hiss, Slow

_TURN: Final = 2 * math.pi
_VIBRATO_GROWS_S: Final = 0.7
_SILENCE: Final = 1e-12
NEUTRAL: Final = 0.5  # of brightness and intensity


def between(start: Array, end: Array, along: Array) -> Array:
    """A level that moves evenly: ``start`` at 0 of ``along``, ``end`` at 1; beyond, never under 0."""
    return (start + (end - start) * along).clip(0.0, math.inf)


def slow_levels(table: Array, since_s: Array, brightness: Array, intensity: Array) -> Array:
    """Gains of partials by what moves slowly; all arguments but the table are ``[end, row]``."""
    of = functions(table)
    bright = brightness - NEUTRAL
    nepers = (
        _swing(table, since_s, (Slow.WANDER, Slow.WANDER_HZ, Slow.WANDER_TURNS)) + table[Slow.TILT] * bright
    )
    place = table[Slow.MORPH_AT] + table[Slow.MORPH_INTENSITY] * (intensity - NEUTRAL)
    place = place + _swing(table, since_s, (Slow.MORPH_SWING, Slow.MORPH_HZ, Slow.MORPH_TURNS))
    spectra = (table[column] for column in (Slow.FIRST, Slow.MIDDLE, Slow.LAST))
    nepers = nepers + _morphed(place.clip(0.0, 1.0) * 2, *spectra)
    octaves = table[Slow.CUTOFF_OCTAVES] * bright
    octaves = octaves + _swing(table, since_s, (Slow.CUTOFF_SWING, Slow.CUTOFF_HZ_RATE, Slow.CUTOFF_TURNS))
    low_pass = _low_pass(table[Slow.FREQ_HZ], table[Slow.CUTOFF_HZ] * of.exp2(octaves))
    return table[Slow.GAIN] * low_pass * of.exp(nepers)


def _swing(table: Array, since_s: Array, columns: tuple[Slow, Slow, Slow]) -> Array:
    of = functions(table)
    depth, rate, turns = (table[column] for column in columns)
    return depth * of.sin(_TURN * (rate * since_s + turns))


def _morphed(place: Array, first: Array, middle: Array, last: Array) -> Array:
    """Between three levels: at 0 the first one, at 2 the last one."""
    towards_first, towards_last = (1 - place).clip(0.0, math.inf), (place - 1).clip(0.0, math.inf)
    return first * towards_first + middle * (1 - towards_first - towards_last) + last * towards_last


def _low_pass(freq_hz: Array, cutoff_hz: Array) -> Array:
    """Gain of a second-order (12 dB an octave) low-pass."""
    ratio = freq_hz / cutoff_hz
    square = ratio * ratio
    return 1 / functions(ratio).sqrt(1 + square * square)


def fast_levels(table: Array, since_s: Array) -> Array:
    """Gains of partials by attack, decay, release and tremolo, in the shape of ``since_s``."""
    of = functions(table)
    turns = table[Fast.TREMOLO_HZ] * since_s + table[Fast.TREMOLO_TURNS]
    trembling = of.exp(table[Fast.TREMOLO] * of.sin(_TURN * turns))
    return envelope_levels(table, since_s) * trembling


def envelope_levels(table: Array, since_s: Array) -> Array:
    """Those by attack, decay and release alone."""
    of = functions(table)
    own_s = since_s - table[Fast.DELAY_S]
    level = _smoothstep(own_s / table[Fast.ATTACK_S])
    remaining = 1 - _smoothstep((since_s - table[Fast.GATE_S]) / table[Fast.RELEASE_S])
    level = level * (remaining * remaining)
    falling, share = -own_s.clip(0.0, math.inf), table[Fast.SLOW_SHARE]
    decay = (1 - share) * of.exp(falling * table[Fast.FAST]) + share * of.exp(falling * table[Fast.SLOW])
    return level * decay


def bent_turns(table: Array, since_s: Array) -> Array:
    """What vibrato and slides add to the phase, in turns and in the shape of ``since_s``."""
    of = functions(table)
    own_s = (since_s - table[Bend.DELAY_S]).clip(0.0, math.inf)
    slide = table[Bend.SLIDE_TURNS] * (1 - of.exp(-own_s / table[Bend.SLIDE_S]))
    return vibrato_turns(table, since_s) + slide


def vibrato_turns(table: Array, since_s: Array) -> Array:
    """What vibrato alone adds."""
    of = functions(table)
    grown = ((since_s - table[Bend.VIBRATO_AFTER_S]) / _VIBRATO_GROWS_S).clip(0.0, 1.0)
    turns = table[Bend.VIBRATO_HZ] * since_s + table[Bend.VIBRATO_TURNS_0]
    return table[Bend.VIBRATO_TURNS] * grown * of.sin(_TURN * turns)


def hiss_levels(table: Array, since_s: Array, intensity: Array) -> Array:
    """Gains of noise bands, in the shape of ``since_s`` (``intensity`` has it too)."""
    of = functions(table)
    own_s = since_s - table[Hiss.DELAY_S]
    risen = _smoothstep(own_s / table[Hiss.ATTACK_S]).clip(_SILENCE, 1.0)
    level = of.exp(table[Hiss.RISE] * of.log(risen))  # a power, ten times as fast
    remaining = 1 - _smoothstep((since_s - table[Hiss.GATE_S]) / table[Hiss.RELEASE_S])
    faded = of.exp(-(own_s - table[Hiss.ATTACK_S]).clip(0.0, math.inf) * table[Hiss.DECAY])
    turns = table[Hiss.GUST_HZ] * since_s + table[Hiss.GUST_TURNS]
    # Two rates that never meet again: a gust is no pendulum.
    gust = 0.7 * of.sin(_TURN * turns) + 0.3 * of.sin(_TURN * 2.7 * turns)
    nepers = table[Hiss.GUST] * gust + table[Hiss.INTENSITY] * (intensity - NEUTRAL)
    return table[Hiss.GAIN] * level * (remaining * remaining) * faded * of.exp(nepers)


def _smoothstep(x: Array) -> Array:
    """``3x^2 - 2x^3``, 0 below 0 and 1 above 1: no corner at either end."""
    x = x.clip(0.0, 1.0)
    return x * x * (3 - 2 * x)
