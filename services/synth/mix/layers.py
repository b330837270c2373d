"""A chunk's layers, mixed: the voices that sound in it on all grids, with their noise.

Chunks of a batch are rendered together as far as that is elementwise, and each by itself where sums are
taken: so nothing that a channel hears depends on what else is in the batch. Layers are mixed on their grid,
before it is brought to the full rate: there are fewer outputs than layers.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.arrays import Array
from services.synth.dsp.grid import Blocks, Grid
from services.synth.dsp.upsampling import faded, upsample
from services.synth.mix.arrangement import NOTHING, Arrangement, Group, arrange
from services.synth.mix.batch import Batch, Scene
from services.synth.mix.desk import Weights
from services.synth.mix.hiss import Hisses, Noise
from services.synth.mix.recent import Recent
from services.synth.mix.silence import total
from services.synth.mix.sounding import Sounding


class Mixes(Protocol):
    """What layers are mixed by."""

    def weights(self, layers: tuple[str, ...]) -> Weights:
        """``[output, layer, ear]``."""
        ...


class _Sums(NamedTuple):
    """The groups of a chunk at one place, and the left factor of their products."""

    groups: Sequence[Group]
    left: Array
    blocks: Blocks

    def samples(self) -> Array:
        """``[group and ear, sample]``, as :func:`upsample` wants them."""
        groups = [(group.first, group.last, group.bases) for group in self.groups]
        return additive.joined(additive.sums(self.left, groups), self.blocks)


class LayerRenderer:
    """Renders mixed layers on one device; arrangements are kept, a cache of a pure function."""

    def __init__(self, audio: AudioFormat, device: torch.device, desk: Mixes) -> None:
        self._audio = audio
        self._device = device
        self._desk = desk
        self._arrangements = Recent[int, Arrangement]()

    def next_round(self) -> None:
        """Drop the arrangements that no channel has needed lately."""
        self._arrangements.next_round()

    def render(self, soundings: Sequence[Sounding]) -> list[torch.Tensor | None]:
        """``[output, frame]`` of each chunk; None where nothing sounds."""
        scenes = [Scene(each, self._arrangement(each)) for each in soundings]
        batch, noises = Batch(scenes, self._audio, self._device), self._noises(scenes)
        factors = [batch.factors(place) for place in range(grid.PLACES)]
        found = [
            self._outputs(scene, [each[index] for each in factors], noises[index])
            for index, scene in enumerate(scenes)
        ]
        return [None if each is None else arrays.tensor(each) for each in found]

    def _outputs(self, scene: Scene, factors: Sequence[Array | None], noise: Noise | None) -> Array | None:
        """``[output, frame]`` of one chunk from the factors at all places."""
        found, places = None, grid.places(self._audio)
        for on in grid.grids(self._audio):
            here = [
                _Sums(rows.groups, left, blocks)
                for blocks, rows, left in zip(places, scene.arrangement.places, factors, strict=True)
                if blocks.grid is on and rows is not None and left is not None
            ]
            pitched = self._mixed(here, scene.sounding, on) if here else None
            heard = total(pitched, noise.on(on) if noise else None)
            if heard is not None:
                found = total(found, upsample(heard, on))
        return found

    def _noises(self, scenes: Sequence[Scene]) -> list[Noise | None]:
        hisses = Hisses(scenes, self._audio, self._device)
        rows = [scene.arrangement.hiss for scene in scenes]
        return [hisses.mixed(i, self._weights(each.layers)) if each else None for i, each in enumerate(rows)]

    def _arrangement(self, sounding: Sounding) -> Arrangement:
        kept = self._arrangements.get(sounding.seed) or NOTHING
        if not kept.serves(sounding):
            kept = arrange(sounding, self._device, kept)
        return self._arrangements.keep(sounding.seed, kept)

    def _mixed(self, here: Sequence[_Sums], sounding: Sounding, on: Grid) -> Array:
        """``[output, sample]`` of one chunk on a grid, as :func:`upsample` wants it."""
        samples = arrays.joined([each.samples() for each in here])
        layers = tuple(group.layer for each in here for group in each.groups)
        weights, gains = self._weights(layers), sounding.gains_of(layers)
        outputs = len(weights)
        if gains is None:
            return arrays.product(weights.reshape(outputs, -1), samples)
        level = arrays.on(self._device, gains.astype(np.float32))
        start, end = (
            arrays.product((weights * each[:, None]).reshape(outputs, -1), samples) for each in level
        )
        return faded(start, end, on)

    def _weights(self, layers: tuple[str, ...]) -> Array:
        """``[output, layer, ear]``."""
        return arrays.on(self._device, self._desk.weights(layers))
