"""What sounds in one chunk of a channel."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.synth.mix.desk import LAYERS
from services.synth.voices.voice import Voice

# Every layer as the desk has it.
WHOLE: Final = np.ones((2, len(LAYERS)))


class Sounding(NamedTuple):
    """The voices and the curves of a chunk; curves stand at the chunk's two ends.

    ``gains`` are ``[end, layer]``, in the order of :data:`services.synth.mix.desk.LAYERS`.
    """

    seed: int
    start_frame: int
    voices: list[Voice]
    brightness: NDArray[np.float64]
    intensity: NDArray[np.float64]
    gains: NDArray[np.float64] = WHOLE

    @property
    def brightest(self) -> float:
        """The highest brightness in the chunk."""
        return float(max(self.brightness))

    def gains_of(self, layers: Sequence[str]) -> NDArray[np.float64] | None:
        """``[end, layer]`` of some layers; None where all of them are as the desk has them."""
        if self.gains is WHOLE:
            return None
        found = self.gains[:, [LAYERS.index(layer) for layer in layers]]
        return None if (found == 1).all() else found
