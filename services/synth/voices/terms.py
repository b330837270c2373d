"""The terms of a voice's partials: their columns in the form that the formulas of levels and phases take.

Logarithms have been taken, angles are radians, and divisors are reciprocals. Terms of the same kind lie next
to each other and are computed together: for a partial's three *quantities*, which are its level (nepers, in
its middle spectrum), its place between the spectra (-1 the first, 0 the middle, 1 the last) and how far it
lies above the low-pass's cutoff (nepers, times four: the low-pass is of second order); for attack and release
of its envelope; for the fast and the slow stage of its decay.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp.arrays import Float64Array
from services.synth.voices import columns
from services.synth.voices.columns import Bend, Fast, Slow

QUANTITIES: Final = 3
_TURN: Final = 2 * math.pi
_ORDER: Final = 4 * math.log(2)
SILENCE: Final = 1e-87  # the least gain: ``exp(log(x))`` underflows to 0 in float32
VIBRATO_GROWS_S: Final = 0.7

# Of each quantity: its value at neutral controls, its change with the control that moves it, and its swing.
AT: Final = slice(0, 3)
BY: Final = slice(3, 6)
DEPTH: Final = slice(6, 9)
RATE: Final = slice(9, 12)
PHASE: Final = slice(12, 15)
# Nepers that the level gains from the middle spectrum to the last, and from the first to the middle.
UP: Final = 15
DOWN: Final = 16
SLOW: Final = slice(0, 17)
# Within :data:`FAST`, of attack and release: when they begin (s), and one over how long they take (1 / s).
FROM: Final = slice(0, 2)
PACE: Final = slice(2, 4)
# Of the two stages of the decay: nepers a second (negative), and their shares of the amplitude.
FALL: Final = slice(4, 6)
SHARE: Final = slice(6, 8)
TREMOLO: Final = slice(8, 11)  # depth (nepers), rate, phase
FAST: Final = slice(SLOW.stop, SLOW.stop + 11)
# Within :data:`BEND`: depth (turns), rate, phase, and when it begins to grow (in units of VIBRATO_GROWS_S).
VIBRATO: Final = slice(0, 4)
SLIDE: Final = slice(4, 7)  # extent (turns), one over its time constant (1 / s), beginning (s)
BEND: Final = slice(FAST.stop, FAST.stop + 7)
EARS: Final = slice(BEND.stop, BEND.stop + AUDIO_CHANNELS)
COUNT: Final = EARS.stop


def terms_of(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The terms ``[term, partial]`` of a table of :mod:`services.synth.voices.columns`.

    A column of zeros is a valid, silent partial (used as padding).
    """
    found = np.empty((COUNT, table.shape[1]), dtype=np.float32)
    _slow(found[SLOW], table[columns.SLOW].astype(np.float64))
    _fast(found[FAST], table[columns.FAST].astype(np.float64))
    _bend(found[BEND], table[columns.BEND].astype(np.float64))
    found[EARS] = table[columns.EARS]
    return found


def _slow(found: NDArray[np.float32], slow: Float64Array) -> None:
    level, place, over = AT.start, AT.start + 1, AT.start + 2
    found[level] = np.log(np.maximum(slow[Slow.GAIN], SILENCE)) + slow[Slow.MIDDLE]
    found[place] = 2 * slow[Slow.MORPH_AT] - 1
    found[over] = 4 * np.log(slow[Slow.FREQ_HZ] / slow[Slow.CUTOFF_HZ])
    wider = np.array([1.0, 2.0, -_ORDER])[:, None]
    found[BY] = slow[[Slow.TILT, Slow.MORPH_INTENSITY, Slow.CUTOFF_OCTAVES]] * wider
    found[DEPTH] = slow[[Slow.WANDER, Slow.MORPH_SWING, Slow.CUTOFF_SWING]] * wider
    found[RATE] = slow[[Slow.WANDER_HZ, Slow.MORPH_HZ, Slow.CUTOFF_SWING_HZ]] * _TURN
    found[PHASE] = slow[[Slow.WANDER_TURNS, Slow.MORPH_TURNS, Slow.CUTOFF_TURNS]] * _TURN
    found[UP] = slow[Slow.LAST] - slow[Slow.MIDDLE]
    found[DOWN] = slow[Slow.MIDDLE] - slow[Slow.FIRST]


def _fast(found: NDArray[np.float32], fast: Float64Array) -> None:
    found[FROM] = fast[[Fast.DELAY_S, Fast.GATE_S]]
    found[PACE] = 1 / fast[[Fast.ATTACK_S, Fast.RELEASE_S]]
    found[FALL] = -fast[[Fast.FAST, Fast.SLOW]]
    found[SHARE] = 1 - fast[Fast.SLOW_SHARE], fast[Fast.SLOW_SHARE]
    found[TREMOLO] = fast[[Fast.TREMOLO, Fast.TREMOLO_HZ, Fast.TREMOLO_TURNS]]
    found[TREMOLO][1:] *= np.float32(_TURN)


def _bend(found: NDArray[np.float32], bend: Float64Array) -> None:
    found[VIBRATO] = bend[
        [Bend.VIBRATO_TURNS, Bend.VIBRATO_HZ, Bend.VIBRATO_PHASE_TURNS, Bend.VIBRATO_AFTER_S]
    ]
    found[VIBRATO] *= np.array([1, _TURN, _TURN, 1 / VIBRATO_GROWS_S], dtype=np.float32)[:, None]
    found[SLIDE] = bend[Bend.SLIDE_TURNS], 1 / bend[Bend.SLIDE_S], bend[Bend.DELAY_S]
