"""Automation as a function of the frame."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import numpy as np

from auralis.score.events import Automation
from services.synth.dsp.arrays import Float64Array

NEUTRAL_INTENSITY: Final = 0.5
NEUTRAL_BRIGHTNESS: Final = 0.5
_INTENSITY_SHARE: Final = 0.6
_by_frame: Final = attrgetter("at_frame")


def curve(ramps: Sequence[Automation], frames: Sequence[int], default: float) -> Float64Array:
    """The value at each of ``frames``; a ramp starts from the value that the ramps before it have reached.

    ``ramps`` are sorted by onset; before the first one the value is ``default``.
    """
    return np.array([_value(ramps, frame, default) for frame in frames])


def _value(ramps: Sequence[Automation], frame: int, default: float) -> float:
    moving: list[tuple[Automation, int]] = []  # unfinished ramps, each with a frame at it; the latest first
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


def brightness(intensity: Float64Array, asked: Float64Array | float = NEUTRAL_BRIGHTNESS) -> Float64Array:
    """Brightness, 0-1: ``asked`` (the brightness control), raised or lowered by intensity."""
    by_intensity = _INTENSITY_SHARE * (intensity - NEUTRAL_INTENSITY)
    return np.clip(asked + by_intensity, 0.0, 1.0)


def level_gain(level: Float64Array) -> Float64Array:
    """The gain of a layer at a level of 0-1; a fader's law: -12 dB at half way."""
    return np.square(level)
