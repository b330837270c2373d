"""Vowels: formants of sung u, o and a in four voices (Csound manual, appendix "formant values")."""

from typing import Final, NamedTuple

import numpy as np

from services.synth.dsp.arrays import Float64Array

_SPREAD: Final = 2.0  # times the width of a single singer's: formants differ within a choir
_FLOOR: Final = 1e-4


class _Vowel(NamedTuple):
    hz: tuple[float, ...]
    db: tuple[float, ...]
    width_hz: tuple[float, ...]


class _Voice(NamedTuple):
    """The vowels of a voice, from dark to bright, for fundamentals up to ``highest_hz``."""

    highest_hz: float
    u: _Vowel
    o: _Vowel
    a: _Vowel


_VOICES: Final = (
    _Voice(
        142.0,
        _Vowel((350, 600, 2400, 2675, 2950), (0, -20, -32, -28, -36), (40, 80, 100, 120, 120)),
        _Vowel((400, 750, 2400, 2600, 2900), (0, -11, -21, -20, -40), (40, 80, 100, 120, 120)),
        _Vowel((600, 1040, 2250, 2450, 2750), (0, -7, -9, -9, -20), (60, 70, 110, 120, 130)),
    ),
    _Voice(
        254.0,
        _Vowel((350, 600, 2700, 2900, 3300), (0, -20, -17, -14, -26), (40, 60, 100, 120, 120)),
        _Vowel((400, 800, 2600, 2800, 3000), (0, -10, -12, -12, -26), (70, 80, 100, 130, 135)),
        _Vowel((650, 1080, 2650, 2900, 3250), (0, -6, -7, -8, -22), (80, 90, 120, 130, 140)),
    ),
    _Voice(
        403.0,
        _Vowel((325, 700, 2530, 3500, 4950), (0, -12, -30, -40, -64), (50, 60, 170, 180, 200)),
        _Vowel((450, 800, 2830, 3500, 4950), (0, -9, -16, -28, -55), (70, 80, 100, 130, 135)),
        _Vowel((800, 1150, 2800, 3500, 4950), (0, -4, -20, -36, -60), (80, 90, 120, 130, 140)),
    ),
    _Voice(
        np.inf,
        _Vowel((325, 700, 2700, 3800, 4950), (0, -16, -35, -40, -60), (50, 60, 170, 180, 200)),
        _Vowel((450, 800, 2830, 3800, 4950), (0, -11, -22, -22, -50), (40, 80, 100, 120, 120)),
        _Vowel((800, 1150, 2900, 3900, 4950), (0, -6, -32, -20, -50), (80, 90, 120, 130, 140)),
    ),
)


def levels_db(f0_hz: float, freq_hz: Float64Array, tract: float) -> Float64Array:
    """Levels (dB) of the vowels u, o and a at ``freq_hz`` for a voice on ``f0_hz``: ``[partial, vowel]``.

    Each vowel has the same power over these partials. ``tract`` scales the decibels: 1 is as published.
    """
    voice = next(voice for voice in _VOICES if f0_hz < voice.highest_hz)
    columns = [tract * 20 * np.log10(_gain(vowel, freq_hz) + _FLOOR) for vowel in (voice.u, voice.o, voice.a)]
    levels = np.stack(columns, axis=1)
    rolled = freq_hz[:, None] ** -0.7
    power = np.sum(10 ** (levels / 10) * rolled, axis=0) / np.sum(rolled)
    return np.asarray(levels - 10 * np.log10(power))


def _gain(vowel: _Vowel, freq_hz: Float64Array) -> Float64Array:
    hz, db, width = (np.array(values, dtype=float) for values in vowel)
    distance = (freq_hz[:, None] - hz) / (_SPREAD * width / 2)
    return np.asarray(np.sum(10 ** (db / 20) / np.sqrt(1 + distance**2), axis=1))
