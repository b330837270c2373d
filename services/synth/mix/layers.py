"""A chunk's layers, mixed: the voices that sound in it on all grids, with their noise.

Chunks of a batch are rendered together as far as that is elementwise, and each by itself where sums are
taken: so nothing that a channel hears depends on what else is in the batch. Layers are mixed on their grid,
before it is brought to the full rate: there are fewer outputs than layers.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp import additive, grid
from services.synth.dsp.additive import PARTS
from services.synth.dsp.grid import Grid
from services.synth.dsp.products import product
from services.synth.dsp.upsampling import along, trimmed, upsample
from services.synth.mix.arrangement import NOTHING, Arrangement, Group, arrange
from services.synth.mix.batch import Batch, Scene
from services.synth.mix.hiss import Hisses, Noise
from services.synth.mix.recent import Recent
from services.synth.mix.silence import total
from services.synth.mix.sounding import Sounding


class Mixes(Protocol):
    """What layers are mixed by."""

    def weights(self, layers: tuple[str, ...]) -> torch.Tensor:
        """``[output, layer, ear]``, on the CPU."""
        ...


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
        found: list[torch.Tensor | None] = [None] * len(scenes)
        for place, on in enumerate(grid.grids(self._audio)):
            for index, left in enumerate(batch.factors(place)):
                noise, rows = noises[index], scenes[index].arrangement.grids[place]
                pitched = None
                if left is not None and rows is not None:
                    pitched = self._mixed(rows.groups, left, soundings[index], on)
                heard = total(pitched, noise.on(on) if noise else None)
                if heard is not None:
                    found[index] = total(found[index], upsample(heard, on))
        return found

    def _noises(self, scenes: Sequence[Scene]) -> list[Noise | None]:
        hisses = Hisses(scenes, self._audio, self._device)
        rows = [scene.arrangement.hiss for scene in scenes]
        return [hisses.mixed(i, self._weights(each.layers)) if each else None for i, each in enumerate(rows)]

    def _arrangement(self, sounding: Sounding) -> Arrangement:
        kept = self._arrangements.get(sounding.seed) or NOTHING
        if not kept.serves(sounding):
            kept = arrange(sounding, self._audio, self._device, kept)
        return self._arrangements.keep(sounding.seed, kept)

    def _mixed(
        self, groups: Sequence[Group], left: torch.Tensor, sounding: Sounding, on: Grid
    ) -> torch.Tensor:
        """``[output, sample]`` on the grid, as :func:`upsample` wants it."""
        products = left.new_empty(len(groups), len(left), 2 * on.block)
        for group, out in zip(groups, products, strict=True):
            group.bases.sum_into(out, left[:, PARTS * group.first : PARTS * group.last])
        blocks = products.reshape(len(groups), AUDIO_CHANNELS, -1, 2 * on.block)
        samples = trimmed(additive.overlapped(blocks).flatten(0, 1), on.margin * on.block)
        layers = tuple(group.layer for group in groups)
        weights, gains = self._weights(layers), sounding.gains_of(layers)
        if gains is None:
            return product(weights.flatten(1), samples)
        levels = torch.from_numpy(gains.astype(np.float32)).to(self._device)
        start, end = (product((weights * level[:, None]).flatten(1), samples) for level in levels)
        return torch.addcmul(start, end - start, along(on, self._device))

    def _weights(self, layers: tuple[str, ...]) -> torch.Tensor:
        return self._desk.weights(layers).to(self._device)
