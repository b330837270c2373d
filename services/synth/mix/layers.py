"""A chunk's layers: the voices that sound in it, rendered on both grids, with their noise.

Parts of a batch are rendered together as far as that is elementwise, and each by itself where sums are taken:
so nothing that a channel hears depends on what else is in the batch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, grid
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import upsample
from services.synth.mix.batch import Batch, Piece
from services.synth.mix.groups import Group, assemble
from services.synth.mix.hiss import render_hiss
from services.synth.mix.recent import Recent
from services.synth.mix.sounding import Sounding
from services.synth.voices.voice import Voice

# What one part's layers give, by name: ``[ear, frame]``.
Layers = dict[str, torch.Tensor]


class LayerRenderer:
    """Renders layers on one device; groups that still sound are kept, a cache of a pure function."""

    def __init__(self, audio: AudioFormat, device: torch.device) -> None:
        self._audio = audio
        self._device = device
        self._full, self._coarse = grid.full(audio), grid.coarse(audio)
        self._coarser = (self._coarse, grid.middle(audio))
        self._groups = Recent[tuple[int, str, int], Group]()

    def render(self, parts: Sequence[Sounding]) -> list[Layers]:
        """The layers of each part at the full rate; silent ones are left out."""
        self._groups.next_batch()
        found = [self._partials(parts, self._full), render_hiss(parts, self._coarse, self._device)]
        found += [self._upsampled(parts, on) for on in self._coarser]
        return [_summed(layers) for layers in zip(*found, strict=True)]

    def _upsampled(self, parts: Sequence[Sounding], on: Grid) -> list[Layers]:
        rendered = self._partials(parts, on)
        return [{name: upsample(samples, on) for name, samples in layers.items()} for layers in rendered]

    def _partials(self, parts: Sequence[Sounding], on: Grid) -> list[Layers]:
        pieces = [piece for index, part in enumerate(parts) for piece in self._pieces(index, part, on)]
        rendered: list[Layers] = [{} for _ in parts]
        if pieces:
            batch = Batch(pieces, parts, on, self._device)
            left, first = batch.phasors(), 0
            for piece in batch.pieces:
                rows = left[first : first + len(piece.group)]
                rendered[piece.part][piece.layer] = additive.product(rows, piece.group.bases)
                first += len(piece.group)
        return rendered

    def _pieces(self, index: int, part: Sounding, on: Grid) -> list[Piece]:
        by_layer: dict[str, list[Voice]] = {}
        for voice in part.voices:
            by_layer.setdefault(voice.layer, []).append(voice)
        pieces = []
        for layer, voices in by_layer.items():
            group = self._group(part, layer, voices, on)
            if group is not None:
                moves = self._moves(group, voices, part.start_frame, on)
                pieces.append(Piece(index, layer, group, moves, any(voice.bends for voice in voices)))
        return pieces

    def _moves(self, group: Group, voices: Sequence[Voice], start_frame: int, on: Grid) -> NDArray[np.bool_]:
        """Which of the group's rows move fast in the chunk."""
        end_frame = start_frame + self._audio.frames_per_chunk
        sizes = [len(voice.on(on, start_frame).rows) for voice in voices]
        moves = np.zeros(len(group), dtype=bool)
        moves[: sum(sizes)] = np.repeat([voice.moves(start_frame, end_frame) for voice in voices], sizes)
        return moves

    def _group(self, part: Sounding, layer: str, voices: Sequence[Voice], on: Grid) -> Group | None:
        found = [
            (voice, on_grid) for voice in voices if len((on_grid := voice.on(on, part.start_frame)).rows)
        ]
        if not found:
            return None
        parts = [on_grid for _, on_grid in found]
        key = (part.seed, layer, on.divisor)
        group = self._groups.get(key)
        if group is None or not group.made_of(parts):
            group = assemble([voice for voice, _ in found], parts, on, self._device)
        return self._groups.keep(key, group)


def _summed(of: Sequence[Layers]) -> Layers:
    summed: Layers = {}
    for layers in of:
        for name, samples in layers.items():
            summed[name] = summed[name] + samples if name in summed else samples
    return summed
