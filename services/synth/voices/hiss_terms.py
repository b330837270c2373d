"""The terms of a voice's noise bands: their columns as the formula of their levels takes them.

As :mod:`services.synth.voices.terms` are those of partials.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.voices.columns import Hiss
from services.synth.voices.terms import SILENCE

_TURN: Final = 2 * math.pi
# Two rates that never meet again, and how much of a gust each is: a gust is no pendulum.
_GUSTS: Final = np.array([[1.0], [2.7]])
_GUST_SHARES: Final = np.array([[0.7], [0.3]])

LEVEL: Final = 0  # nepers
RISE: Final = 1  # how much faster than the attack's curve, nepers a neper
INTENSITY: Final = 2  # nepers by intensity
DECAY: Final = 3  # nepers a second ...
DECAY_FROM_S: Final = 4  # ... since then
# Of attack and release: when they begin (s), and how fast they go (1 / s).
FROM: Final = slice(5, 7)
PACE: Final = slice(7, 9)
# Of two swings: how far (nepers), rate, phase.
GUST: Final = slice(9, 11)
GUST_RATE: Final = slice(11, 13)
GUST_PHASE: Final = slice(13, 15)
COUNT: Final = 15


def hiss_terms_of(hiss: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those of ``[noise, band, Hiss]``: ``[term, noise and band]``.

    A band of which all terms are 0 can be computed with.
    """
    table = hiss.reshape(-1, len(Hiss)).T.astype(np.float64)
    found = np.empty((COUNT, table.shape[1]), dtype=np.float32)
    found[LEVEL] = np.log(np.maximum(table[Hiss.GAIN], SILENCE))
    found[[RISE, INTENSITY, DECAY]] = table[[Hiss.RISE, Hiss.INTENSITY, Hiss.DECAY]]
    found[DECAY_FROM_S] = table[Hiss.DELAY_S] + table[Hiss.ATTACK_S]
    found[FROM] = table[[Hiss.DELAY_S, Hiss.GATE_S]]
    found[PACE] = 1 / table[[Hiss.ATTACK_S, Hiss.RELEASE_S]]
    found[GUST] = table[Hiss.GUST] * _GUST_SHARES
    found[GUST_RATE] = table[Hiss.GUST_HZ] * _GUSTS * _TURN
    found[GUST_PHASE] = table[Hiss.GUST_TURNS] * _GUSTS * _TURN
    return found
