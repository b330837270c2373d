"""Interleaved measurements, so that whatever else the machine does affects all of them alike."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from services.synth.dsp import arrays
from services.synth.dsp.arrays import CPU, Device


class Samples(NamedTuple):
    """The values of one measure, in the caller's unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median: half of the values are below it."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """The value that ``share`` of the values do not exceed."""
        return float(np.quantile(self.values, share))

    def scaled(self, factor: float) -> "Samples":
        """The samples in another unit: each value times ``factor``."""
        return Samples(tuple(value * factor for value in self.values))


def interleaved(
    measures: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1
) -> dict[str, Samples]:
    """Take each measure in turn, ``rounds`` times after ``warm_up`` rounds that do not count."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(warm_up + rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: Samples(tuple(values[warm_up:])) for name, values in found.items()}


def timed(work: Callable[[], object], wait: Callable[[], None]) -> Callable[[], float]:
    """A measure: the seconds that ``work`` takes until it is done on the device."""

    def measure() -> float:
        wait()
        started = time.perf_counter()
        work()
        wait()
        return time.perf_counter() - started

    return measure


def waiting(device: Device) -> Callable[[], None]:
    """A function that waits until ``device`` has done all its work."""
    if device == CPU:
        return lambda: None
    synchronize: Callable[[], None] = getattr(arrays.lazy_torch(), device).synchronize
    return synchronize


def last_line(text: str) -> str:
    """The last line that a failed program wrote: usually the reason."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
