"""What sounds in one chunk of a channel."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from services.synth.dsp.arrays import Float64Array
from services.synth.mix.desk import LAYERS
from services.synth.voices.voice import Voice

# Gains that leave every layer as the desk has it; compared by identity.
UNITY_GAINS: Final = np.ones((2, len(LAYERS)))


class Sounding(NamedTuple):
    """The voices and the curves of a chunk; curves are given at the chunk's two ends.

    ``gains`` are ``[end, layer]``, in the order of :data:`services.synth.mix.desk.LAYERS`.
    """

    seed: int
    start_frame: int
    voices: list[Voice]
    brightness: Float64Array
    intensity: Float64Array
    gains: Float64Array = UNITY_GAINS

    @property
    def brightest(self) -> float:
        """The highest brightness in the chunk."""
        return float(max(self.brightness))

    def gains_of(self, layers: Sequence[str]) -> Float64Array | None:
        """The gains of some layers, ``[end, layer]``; None where the desk's levels are unchanged."""
        if self.gains is UNITY_GAINS:
            return None
        found = self.gains[:, [LAYERS.index(layer) for layer in layers]]
        return None if (found == 1).all() else found
