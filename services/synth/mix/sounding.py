"""What sounds in one chunk of a channel."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.synth.voices.voice import Voice


class Sounding(NamedTuple):
    """The voices and the curves of a chunk; curves stand at the chunk's two ends."""

    seed: int
    start_frame: int
    voices: list[Voice]
    brightness: NDArray[np.float64]
    intensity: NDArray[np.float64]

    @property
    def brightest(self) -> float:
        """The highest brightness in the chunk."""
        return float(max(self.brightness))
