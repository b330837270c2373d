"""Automation as a function of the frame."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.score.events import Automation

Array = NDArray[np.float64]

NEUTRAL_INTENSITY: Final = 0.5
NEUTRAL_BRIGHTNESS: Final = 0.5
_INTENSITY_SHARE: Final = 0.6
_by_frame: Final = attrgetter("at_frame")


def curve(ramps: Sequence[Automation], frames: Sequence[int], default: float) -> Array:
    """The value at each of a few ``frames``; a ramp begins at what the ramps before it have reached.

    ``ramps`` are in order of their beginning; before the first one the value is ``default``.
    """
    return np.array([_value(ramps, frame, default) for frame in frames])


def _value(ramps: Sequence[Automation], frame: int, default: float) -> float:
    moving: list[tuple[Automation, int]] = []  # ramps that were under way at a frame, the last one first
    value, at = default, frame
    for ramp in reversed(ramps[: bisect_right(ramps, frame, key=_by_frame)]):
        if at >= ramp.at_frame + ramp.ramp_frames:
            value = ramp.value
            break
        moving.append((ramp, at))
        at = ramp.at_frame
    for ramp, at in reversed(moving):
        value += (ramp.value - value) * ((at - ramp.at_frame) / ramp.ramp_frames)
    return value


def brightness(intensity: Array, asked: Array | float = NEUTRAL_BRIGHTNESS) -> Array:
    """Brightness 0-1 as intensity sets it, and what is asked for beside that."""
    by_intensity = _INTENSITY_SHARE * (intensity - NEUTRAL_INTENSITY)
    return np.clip(asked + by_intensity, 0.0, 1.0)


def level_gain(level: Array) -> Array:
    """The amplitude of a layer at a level of 0-1: half way it is 12 dB down, as a fader is."""
    return np.square(level)
