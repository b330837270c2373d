"""Levels and phases of partials and noise bands in closed form: at any time, whatever came before.

``terms`` are terms of :mod:`services.synth.voices.terms`, ``[term, partial]``. Times are seconds since the
note's onset, ``[time, partial]`` or ``[time, band]``. A property that a row lacks (no decay, no tremolo)
leaves its level unchanged.

Times are float32, so movements lose precision in very long notes: the error of ``flute``, with its vibrato,
is about -44 dB after an hour and -24 dB after twelve; ``warm_pad``, which open holds play, has -49 dB after a
week.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp.arrays import Array, Float64Array, functions
from services.synth.voices import hiss_terms as of_hiss
from services.synth.voices import terms as of_terms

_LEAST_RISE: Final = 1e-12  # so that the logarithm of a rise is finite
NEUTRAL: Final = 0.5  # of brightness and intensity


def between(start: Array, end: Array, along: Array) -> Array:
    """Linear interpolation from ``start`` (``along`` 0) to ``end`` (1); extrapolated, but never below 0."""
    return (start + (end - start) * along).clip(0.0, math.inf)


def asked(curves: Sequence[tuple[Float64Array, Float64Array]]) -> NDArray[np.float32]:
    """The control that each quantity of a partial follows, less its neutral: ``[quantity, time, channel]``.

    ``curves`` are brightness and intensity of each channel, 0-1, ``[time]``.
    """
    moved = [(brightness, intensity, brightness) for brightness, intensity in curves]
    return np.array(moved, dtype=np.float32).transpose(1, 2, 0) - np.float32(NEUTRAL)


def slow_levels(terms: Array, since_s: Array, asked: Array) -> Array:
    """Gains of partials by their slow terms; ``asked`` is ``[quantity, time, partial]``."""
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
    """Gains of partials by attack, decay and release alone."""
    own_s = since_s - terms[of_terms.FROM][:, None]
    risen, released = _smoothstep(own_s * terms[of_terms.PACE][:, None])
    decay = own_s[0].clip(0.0, math.inf) * terms[of_terms.FALL][:, None]
    decay = functions(terms).exp(decay) * terms[of_terms.SHARE][:, None]
    remaining = 1 - released
    return risen * (remaining * remaining) * (decay[0] + decay[1])


def vibrato_turns(terms: Array, since_s: Array) -> Array:
    """The phase (turns) that vibrato adds, in the shape of ``since_s``."""
    depth, rate, phase, begun = terms[of_terms.VIBRATO]
    swung = rate * since_s
    swung += phase
    swung = functions(terms).sin(swung)
    grown = since_s * (1 / of_terms.VIBRATO_GROWS_S)
    grown -= begun
    swung *= grown.clip(0.0, 1.0)
    swung *= depth
    return swung


def slide_turns(terms: Array, since_s: Array) -> Array:
    """The phase (turns) that a slide has still to add, in the shape of ``since_s``."""
    far, pace, from_s = terms[of_terms.SLIDE]
    return far * functions(terms).exp((since_s - from_s).clip(0.0, math.inf) * -pace)


def hiss_levels(terms: Array, since_s: Array, intensity: Array) -> Array:
    """Gains of noise bands, ``[time, band]``; ``terms`` are of :mod:`services.synth.voices.hiss_terms`.

    ``intensity`` has the shape of ``since_s``.
    """
    of = functions(terms)
    swung = terms[of_hiss.GUST_RATE][:, None] * since_s
    swung += terms[of_hiss.GUST_PHASE][:, None]
    swung = of.sin(swung) * terms[of_hiss.GUST][:, None]
    own_s = since_s - terms[of_hiss.FROM][:, None]
    risen, released = _smoothstep(own_s * terms[of_hiss.PACE][:, None])
    nepers = swung[0] + swung[1] + terms[of_hiss.LEVEL]
    nepers += terms[of_hiss.RISE_EXPONENT] * of.log(risen.clip(_LEAST_RISE, 1.0))
    nepers -= terms[of_hiss.DECAY_NEPERS_S] * (since_s - terms[of_hiss.DECAY_FROM_S]).clip(0.0, math.inf)
    nepers += terms[of_hiss.INTENSITY] * (intensity - NEUTRAL)
    remaining = 1 - released
    return of.exp(nepers) * (remaining * remaining)


def _smoothstep(x: Array) -> Array:
    """``3x^2 - 2x^3``, 0 below 0 and 1 above 1: without a corner at either end."""
    x = x.clip(0.0, 1.0)
    return x * x * (3 - 2 * x)
