"""The columns of a voice's tables, one row a partial or a noise band.

Levels that move are nepers (natural logarithms of gains), phases are turns. A partial's table has the
columns :data:`SLOW`, :data:`FAST`, :data:`BEND` and :data:`EARS`; a noise band's those of :class:`Hiss`.
"""

from enum import IntEnum
from typing import Final

from auralis.audio import AUDIO_CHANNELS


class Slow(IntEnum):
    """What moves so slowly that a chunk needs its two ends only."""

    GAIN = 0
    FREQ_HZ = 1
    CUTOFF_HZ = 2
    CUTOFF_OCTAVES = 3  # by brightness
    CUTOFF_SWING = 4  # octaves, by itself
    CUTOFF_HZ_RATE = 5
    CUTOFF_TURNS = 6
    TILT = 7  # by brightness
    WANDER = 8
    WANDER_HZ = 9
    WANDER_TURNS = 10
    MORPH_AT = 11
    MORPH_INTENSITY = 12
    MORPH_SWING = 13
    MORPH_HZ = 14
    MORPH_TURNS = 15
    FIRST = 16  # level in each of the three spectra
    MIDDLE = 17
    LAST = 18


class Fast(IntEnum):
    """What needs every border while a note begins, ends or dies away; times are from the note's onset."""

    DELAY_S = 0
    ATTACK_S = 1
    GATE_S = 2
    RELEASE_S = 3
    FAST = 4  # nepers a second
    SLOW = 5
    SLOW_SHARE = 6
    TREMOLO = 7
    TREMOLO_HZ = 8
    TREMOLO_TURNS = 9


class Bend(IntEnum):
    """What the pitch does."""

    VIBRATO_TURNS = 0  # depth of the phase's swing
    VIBRATO_HZ = 1
    VIBRATO_TURNS_0 = 2
    VIBRATO_AFTER_S = 3
    SLIDE_TURNS = 4  # what the slide adds to the phase in the end
    SLIDE_S = 5
    DELAY_S = 6


SLOW: Final = slice(0, len(Slow))
FAST: Final = slice(SLOW.stop, SLOW.stop + len(Fast))
BEND: Final = slice(FAST.stop, FAST.stop + len(Bend))
EARS: Final = slice(BEND.stop, BEND.stop + AUDIO_CHANNELS)


class Hiss(IntEnum):
    """A band of a voice's noise."""

    GAIN = 0
    DELAY_S = 1
    ATTACK_S = 2
    RISE = 3
    GATE_S = 4
    RELEASE_S = 5
    DECAY = 6  # nepers a second
    INTENSITY = 7
    GUST = 8
    GUST_HZ = 9
    GUST_TURNS = 10
    LEFT = 11
    RIGHT = 12
