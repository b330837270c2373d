"""The columns of a voice's tables, with one row per partial or noise band.

Levels that move are nepers (natural logarithms of gains), phases are turns. The table of partials has the
columns :data:`SLOW`, :data:`FAST`, :data:`BEND` and :data:`EARS`, the table of noise bands :class:`Hiss`.
Names in ``_HZ`` are hertz, in ``_S`` seconds, in ``_NEPERS_S`` nepers a second.
"""

from enum import IntEnum
from typing import Final

from auralis.audio import AUDIO_CHANNELS


class Slow(IntEnum):
    """Properties that move so slowly that values at a chunk's two ends suffice."""

    GAIN = 0  # amplitude
    FREQ_HZ = 1
    CUTOFF_HZ = 2
    CUTOFF_OCTAVES = 3  # octaves that the cutoff rises from brightness 0 to 1
    CUTOFF_SWING = 4  # octaves to either side that the cutoff swings by itself
    CUTOFF_SWING_HZ = 5  # rate of this swing
    CUTOFF_TURNS = 6  # phase of this swing at the onset
    TILT = 7  # nepers from brightness 0 to 1
    WANDER = 8  # nepers to either side
    WANDER_HZ = 9
    WANDER_TURNS = 10
    MORPH_AT = 11  # position among the three spectra, 0 to 1
    MORPH_INTENSITY = 12  # change of position from intensity 0 to 1
    MORPH_SWING = 13  # swing of the position to either side
    MORPH_HZ = 14
    MORPH_TURNS = 15
    FIRST = 16  # level in each of the three spectra, nepers
    MIDDLE = 17
    LAST = 18


class Fast(IntEnum):
    """Properties that need every border while a note begins, ends or decays; times are from its onset."""

    DELAY_S = 0
    ATTACK_S = 1  # duration
    GATE_S = 2
    RELEASE_S = 3  # duration
    FAST = 4  # decay of the fast stage, nepers a second
    SLOW = 5  # decay of the slow stage, nepers a second
    SLOW_SHARE = 6  # amplitude of the slow stage, 0 to 1; the fast stage has the rest
    TREMOLO = 7  # nepers to either side
    TREMOLO_HZ = 8
    TREMOLO_TURNS = 9


class Bend(IntEnum):
    """How the pitch moves."""

    VIBRATO_TURNS = 0  # swing of the partial's phase to either side
    VIBRATO_HZ = 1
    VIBRATO_PHASE_TURNS = 2  # phase of the vibrato at the onset
    VIBRATO_AFTER_S = 3  # when it begins to grow
    SLIDE_TURNS = 4  # phase that the slide adds in all
    SLIDE_S = 5  # time constant
    DELAY_S = 6  # when the slide begins


SLOW: Final = slice(0, len(Slow))
FAST: Final = slice(SLOW.stop, SLOW.stop + len(Fast))
BEND: Final = slice(FAST.stop, FAST.stop + len(Bend))
EARS: Final = slice(BEND.stop, BEND.stop + AUDIO_CHANNELS)


class Hiss(IntEnum):
    """Properties of a noise band; times are from the note's onset."""

    GAIN = 0  # amplitude
    DELAY_S = 1
    ATTACK_S = 2  # duration
    RISE_EXPONENT = 3  # power of the attack's curve
    GATE_S = 4
    RELEASE_S = 5  # duration
    DECAY_NEPERS_S = 6  # from the attack's end on
    INTENSITY = 7  # nepers from intensity 0 to 1
    GUST = 8  # nepers to either side
    GUST_HZ = 9
    GUST_TURNS = 10
    LEFT = 11  # amplitude
    RIGHT = 12
