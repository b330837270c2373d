"""The terms of a voice's noise bands: their columns in the form that the formula of their levels takes.

:mod:`services.synth.voices.terms` does the same for partials.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.voices.columns import Hiss
from services.synth.voices.terms import SILENCE

_TURN: Final = 2 * math.pi
# A gust is the sum of two swings, so that it does not move like a pendulum: their relative rates (together
# they repeat only every ten gusts) and their shares of the depth.
_GUSTS: Final = np.array([[1.0], [2.7]])
_GUST_SHARES: Final = np.array([[0.7], [0.3]])

LEVEL: Final = 0  # nepers
RISE_EXPONENT: Final = 1  # power of the attack's curve
INTENSITY: Final = 2  # nepers from intensity 0 to 1
DECAY_NEPERS_S: Final = 3
DECAY_FROM_S: Final = 4  # when the decay begins
# Of attack and release: when they begin (s), and one over how long they take (1 / s).
FROM: Final = slice(5, 7)
PACE: Final = slice(7, 9)
# Of the two swings of a gust: depth (nepers), rate (radians a second), phase (radians).
GUST: Final = slice(9, 11)
GUST_RATE: Final = slice(11, 13)
GUST_PHASE: Final = slice(13, 15)
COUNT: Final = 15


def hiss_terms_of(hiss: NDArray[np.float32]) -> NDArray[np.float32]:
    """The terms ``[term, noise and band]`` of the columns ``[noise, band, Hiss]``.

    A column of zeros is a valid band with a finite level (used as padding).
    """
    table = hiss.reshape(-1, len(Hiss)).T.astype(np.float64)
    found = np.empty((COUNT, table.shape[1]), dtype=np.float32)
    found[LEVEL] = np.log(np.maximum(table[Hiss.GAIN], SILENCE))
    found[RISE_EXPONENT] = table[Hiss.RISE_EXPONENT]
    found[INTENSITY] = table[Hiss.INTENSITY]
    found[DECAY_NEPERS_S] = table[Hiss.DECAY_NEPERS_S]
    found[DECAY_FROM_S] = table[Hiss.DELAY_S] + table[Hiss.ATTACK_S]
    found[FROM] = table[[Hiss.DELAY_S, Hiss.GATE_S]]
    found[PACE] = 1 / table[[Hiss.ATTACK_S, Hiss.RELEASE_S]]
    found[GUST] = table[Hiss.GUST] * _GUST_SHARES
    found[GUST_RATE] = table[Hiss.GUST_HZ] * _GUSTS * _TURN
    found[GUST_PHASE] = table[Hiss.GUST_TURNS] * _GUSTS * _TURN
    return found
