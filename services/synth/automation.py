"""Automation as a function of the frame."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.score.events import Automation

Array = NDArray[np.float64]

NEUTRAL_INTENSITY: Final = 0.5
NEUTRAL_BRIGHTNESS: Final = 0.5
_INTENSITY_SHARE: Final = 0.6


def curve(ramps: Sequence[Automation], frames: NDArray[np.int64], default: float) -> Array:
    """The value at each of ``frames``; a ramp begins at what the ramps before it have reached.

    ``ramps`` are in order of their beginning; before the first one the value is ``default``.
    """
    values = np.full(len(frames), default)
    for index, ramp in enumerate(ramps):
        start = _reached(ramps[:index], ramp.at_frame, default)
        progress = _progress(ramp, frames)
        moving = start + (ramp.value - start) * progress
        value = np.where(progress >= 1.0, ramp.value, moving)
        values = np.where(frames >= ramp.at_frame, value, values)
    return values


def _reached(ramps: Sequence[Automation], frame: int, default: float) -> float:
    """The value just before ``frame``: only ramps still moving there need the ones before them."""
    if not ramps:
        return default
    last = ramps[-1]
    progress = float(_progress(last, np.array([frame]))[0])
    if progress >= 1.0:
        return last.value
    start = _reached(ramps[:-1], last.at_frame, default)
    return start + (last.value - start) * max(progress, 0.0)


def _progress(ramp: Automation, frames: NDArray[np.int64]) -> Array:
    """0 at the ramp's beginning, 1 at its end; a ramp without length is over at its beginning."""
    since = frames - ramp.at_frame
    return since / ramp.ramp_frames if ramp.ramp_frames else np.where(since >= 0, 1.0, 0.0)


def brightness(intensity: Array, asked: Array | float = NEUTRAL_BRIGHTNESS) -> Array:
    """Brightness 0-1 as intensity sets it, and what is asked for beside that."""
    by_intensity = _INTENSITY_SHARE * (intensity - NEUTRAL_INTENSITY)
    return np.clip(asked + by_intensity, 0.0, 1.0)


def level_gain(level: Array) -> Array:
    """The amplitude of a layer at a level of 0-1: half way it is 12 dB down, as a fader is."""
    return np.square(level)
