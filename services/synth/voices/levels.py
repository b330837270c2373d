"""Levels and phases of partials and noise bands in closed form: at any time, without what came before.

``terms`` are those of :mod:`services.synth.voices.terms`, ``[term, partial]``; a ``table`` has the columns of
a noise band, ``[column, band]``. Times are seconds since the note's onset, ``[time, partial]`` or ``[time,
band]``. What a row does not have (no decay, no tremolo) leaves its level as it is.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp.arrays import Array, functions
from services.synth.voices import terms as of_terms
from services.synth.voices.columns import Hiss

_TURN: Final = 2 * math.pi
_SILENCE: Final = 1e-12
NEUTRAL: Final = 0.5  # of brightness and intensity


def between(start: Array, end: Array, along: Array) -> Array:
    """A level that moves evenly: ``start`` at 0 of ``along``, ``end`` at 1; beyond, never under 0."""
    return (start + (end - start) * along).clip(0.0, math.inf)


def asked(brightness: NDArray[np.float64], intensity: NDArray[np.float64]) -> NDArray[np.float32]:
    """What each quantity of a partial moves by, ``[quantity, time]``, of two curves of 0-1."""
    return (np.stack([brightness, intensity, brightness]) - NEUTRAL).astype(np.float32)


def slow_levels(terms: Array, since_s: Array, asked: Array) -> Array:
    """Gains of partials by what moves slowly; ``asked`` is ``[quantity, time, partial]``."""
    of = functions(terms)
    swung = terms[of_terms.RATE][:, None] * since_s
    swung += terms[of_terms.PHASE][:, None]
    swung = of.sin(swung)
    swung *= terms[of_terms.DEPTH][:, None]
    swung += terms[of_terms.BY][:, None] * asked
    swung += terms[of_terms.AT][:, None]
    nepers, place, over = swung
    nepers = nepers + terms[of_terms.UP] * place.clip(0.0, 1.0) + terms[of_terms.DOWN] * place.clip(-1.0, 0.0)
    return of.exp(nepers) / of.sqrt(1 + of.exp(over))


def fast_levels(terms: Array, since_s: Array) -> Array:
    """Gains of partials by attack, decay, release and tremolo, in the shape of ``since_s``."""
    of = functions(terms)
    depth, rate, phase = terms[of_terms.TREMOLO]
    return envelope_levels(terms, since_s) * of.exp(depth * of.sin(rate * since_s + phase))


def envelope_levels(terms: Array, since_s: Array) -> Array:
    """Those by attack, decay and release alone."""
    own_s = since_s - terms[of_terms.FROM][:, None]
    risen, released = _smoothstep(own_s * terms[of_terms.PACE][:, None])
    decay = own_s[0].clip(0.0, math.inf) * terms[of_terms.FALL][:, None]
    decay = functions(terms).exp(decay) * terms[of_terms.SHARE][:, None]
    remaining = 1 - released
    return risen * (remaining * remaining) * (decay[0] + decay[1])


def bent_turns(terms: Array, since_s: Array) -> Array:
    """What vibrato and slides add to the phase, in turns and in the shape of ``since_s``."""
    far, pace, from_s = terms[of_terms.SLIDE]
    own_s = (since_s - from_s).clip(0.0, math.inf)
    return vibrato_turns(terms, since_s) + far * (1 - functions(terms).exp(-own_s * pace))


def vibrato_turns(terms: Array, since_s: Array) -> Array:
    """What vibrato alone adds."""
    depth, rate, phase, begun = terms[of_terms.VIBRATO]
    grown = (since_s * (1 / of_terms.VIBRATO_GROWS_S) - begun).clip(0.0, 1.0)
    return depth * grown * functions(terms).sin(rate * since_s + phase)


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
