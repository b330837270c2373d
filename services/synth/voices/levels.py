"""Levels and phases of partials and noise bands in closed form: at any time, without what came before.

A ``table`` is ``[column, row]`` with the columns of :mod:`services.synth.voices.columns` (or
``[column, row, 1]``, for times ``[row, border]``), a row being a partial or a noise band; times are seconds
since the note's onset. What a row does not have (no decay, no tremolo) leaves its level exactly as it is.
"""

import math
from typing import Final

import torch

from services.synth.voices.columns import Bend, Fast, Hiss, Slow

_TURN: Final = 2 * math.pi
_VIBRATO_GROWS_S: Final = 0.7
_SILENCE: Final = 1e-12
NEUTRAL: Final = 0.5  # of brightness and intensity


def slow_levels(
    table: torch.Tensor, since_s: torch.Tensor, brightness: torch.Tensor, intensity: torch.Tensor
) -> torch.Tensor:
    """Gains of partials by what moves slowly; all arguments but the table are ``[end, row]``."""
    bright = brightness - NEUTRAL
    nepers = (
        _swing(table, since_s, (Slow.WANDER, Slow.WANDER_HZ, Slow.WANDER_TURNS)) + table[Slow.TILT] * bright
    )
    place = table[Slow.MORPH_AT] + table[Slow.MORPH_INTENSITY] * (intensity - NEUTRAL)
    place = place + _swing(table, since_s, (Slow.MORPH_SWING, Slow.MORPH_HZ, Slow.MORPH_TURNS))
    nepers = nepers + _morphed(place.clamp(0, 1) * 2, table[Slow.FIRST], table[Slow.MIDDLE], table[Slow.LAST])
    octaves = table[Slow.CUTOFF_OCTAVES] * bright
    octaves = octaves + _swing(table, since_s, (Slow.CUTOFF_SWING, Slow.CUTOFF_HZ_RATE, Slow.CUTOFF_TURNS))
    low_pass = _low_pass(table[Slow.FREQ_HZ], table[Slow.CUTOFF_HZ] * torch.exp2(octaves))
    return table[Slow.GAIN] * low_pass * torch.exp(nepers)


def _swing(table: torch.Tensor, since_s: torch.Tensor, columns: tuple[Slow, Slow, Slow]) -> torch.Tensor:
    depth, rate, turns = (table[column] for column in columns)
    return depth * torch.sin(_TURN * (rate * since_s + turns))


def _morphed(
    place: torch.Tensor, first: torch.Tensor, middle: torch.Tensor, last: torch.Tensor
) -> torch.Tensor:
    """Between three levels: at 0 the first one, at 2 the last one."""
    towards_first, towards_last = (1 - place).clamp(min=0), (place - 1).clamp(min=0)
    return first * towards_first + middle * (1 - towards_first - towards_last) + last * towards_last


def _low_pass(freq_hz: torch.Tensor, cutoff_hz: torch.Tensor) -> torch.Tensor:
    """Gain of a second-order (12 dB an octave) low-pass."""
    ratio = freq_hz / cutoff_hz
    square = ratio * ratio
    return torch.rsqrt(1 + square * square)


def fast_levels(table: torch.Tensor, since_s: torch.Tensor) -> torch.Tensor:
    """Gains of partials by attack, decay, release and tremolo, in the shape of ``since_s``."""
    turns = table[Fast.TREMOLO_HZ] * since_s + table[Fast.TREMOLO_TURNS]
    trembling = torch.exp(table[Fast.TREMOLO] * torch.sin(_TURN * turns))
    return envelope_levels(table, since_s) * trembling


def envelope_levels(table: torch.Tensor, since_s: torch.Tensor) -> torch.Tensor:
    """Those by attack, decay and release alone."""
    own_s = since_s - table[Fast.DELAY_S]
    level = _smoothstep(own_s / table[Fast.ATTACK_S])
    remaining = 1 - _smoothstep((since_s - table[Fast.GATE_S]) / table[Fast.RELEASE_S])
    level = level * (remaining * remaining)
    falling, share = -own_s.clamp(min=0.0), table[Fast.SLOW_SHARE]
    decay = (1 - share) * torch.exp(falling * table[Fast.FAST]) + share * torch.exp(
        falling * table[Fast.SLOW]
    )
    return level * decay


def bent_turns(table: torch.Tensor, since_s: torch.Tensor) -> torch.Tensor:
    """What vibrato and slides add to the phase, in turns and in the shape of ``since_s``."""
    own_s = (since_s - table[Bend.DELAY_S]).clamp(min=0.0)
    slide = table[Bend.SLIDE_TURNS] * (1 - torch.exp(-own_s / table[Bend.SLIDE_S]))
    return vibrato_turns(table, since_s) + slide


def vibrato_turns(table: torch.Tensor, since_s: torch.Tensor) -> torch.Tensor:
    """What vibrato alone adds."""
    grown = ((since_s - table[Bend.VIBRATO_AFTER_S]) / _VIBRATO_GROWS_S).clamp(0, 1)
    turns = table[Bend.VIBRATO_HZ] * since_s + table[Bend.VIBRATO_TURNS_0]
    return table[Bend.VIBRATO_TURNS] * grown * torch.sin(_TURN * turns)


def hiss_levels(table: torch.Tensor, since_s: torch.Tensor, intensity: torch.Tensor) -> torch.Tensor:
    """Gains of noise bands, in the shape of ``since_s`` (``intensity`` has it too)."""
    own_s = since_s - table[Hiss.DELAY_S]
    risen = _smoothstep(own_s / table[Hiss.ATTACK_S]).clamp(min=_SILENCE)
    level = torch.exp(table[Hiss.RISE] * torch.log(risen))  # a power, ten times as fast
    remaining = 1 - _smoothstep((since_s - table[Hiss.GATE_S]) / table[Hiss.RELEASE_S])
    faded = torch.exp(-(own_s - table[Hiss.ATTACK_S]).clamp(min=0.0) * table[Hiss.DECAY])
    turns = table[Hiss.GUST_HZ] * since_s + table[Hiss.GUST_TURNS]
    # Two rates that never meet again: a gust is no pendulum.
    gust = 0.7 * torch.sin(_TURN * turns) + 0.3 * torch.sin(_TURN * 2.7 * turns)
    nepers = table[Hiss.GUST] * gust + table[Hiss.INTENSITY] * (intensity - NEUTRAL)
    return table[Hiss.GAIN] * level * (remaining * remaining) * faded * torch.exp(nepers)


def _smoothstep(x: torch.Tensor) -> torch.Tensor:
    """``3x^2 - 2x^3``, 0 below 0 and 1 above 1: no corner at either end."""
    x = x.clamp(0.0, 1.0)
    return x * x * (3 - 2 * x)
