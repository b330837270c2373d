"""The partials of a batch on one grid: everything about them that is elementwise, computed at once.

Most levels move so slowly that a chunk's two ends say all; they are interpolated. Only where a note begins or
ends fast, every border is computed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from services.synth.dsp import additive
from services.synth.dsp.grid import Grid
from services.synth.mix import levels
from services.synth.mix.groups import Group
from services.synth.mix.sounding import Sounding


class Piece(NamedTuple):
    """A group as one part of the batch needs it; ``moves`` says it of each of its rows."""

    part: int
    layer: str
    group: Group
    moves: NDArray[np.bool_]
    bends: bool


class Batch:
    """Pieces in the order in which their rows lie: those that bend first."""

    def __init__(
        self, pieces: Sequence[Piece], parts: Sequence[Sounding], grid: Grid, device: torch.device
    ) -> None:
        self.pieces = sorted(pieces, key=lambda piece: not piece.bends)
        self._parts = parts
        self._grid = grid
        self._device = device
        sizes = [len(piece.group) for piece in self.pieces]
        self._ends = np.cumsum([0, *sizes])
        # Which part each row belongs to.
        self._part = np.repeat([piece.part for piece in self.pieces], sizes)
        starts = np.array([part.start_frame for part in parts])
        at_frame = np.concatenate([piece.group.at_frame for piece in self.pieces])
        self._since_frames = starts[self._part] - at_frame
        self._since_s = self._upload(self._since_frames / grid.audio.sample_rate_hz)
        self._borders_s = self._upload(grid.border_frames / grid.audio.sample_rate_hz)

    def phasors(self) -> torch.Tensor:
        """The left factor of every piece's product: ``[row, part, border]``."""
        return additive.phasors(self._amplitude(), self._turns())

    def _amplitude(self) -> torch.Tensor:
        """``[row, border]``."""
        slow = self._slow()
        fast = torch.cat([piece.group.fast for piece in self.pieces], dim=1)
        amplitude = self._between(slow * levels.fast_levels(fast, self._at_ends()))
        moving = self._moving()
        if len(moving):
            since_s = self._since_s[moving, None] + self._borders_s
            at_borders = levels.fast_levels(fast[:, moving, None], since_s)
            amplitude[moving] = self._between(slow[:, moving]) * at_borders
        return amplitude

    def _between(self, ends: torch.Tensor) -> torch.Tensor:
        """``[end, row]`` as ``[row, border]``."""
        along = self._upload(self._grid.border_frames / self._grid.audio.frames_per_chunk)
        start, end = ends[:, :, None]
        levels_: torch.Tensor = start + (end - start) * along
        return levels_.clamp_(min=0.0)

    def _moving(self) -> torch.Tensor:
        """The rows that move, filled up to whole :data:`additive.ROWS` by repeating the last one."""
        rows = np.flatnonzero(np.concatenate([piece.moves for piece in self.pieces]))
        whole = np.pad(rows, (0, -len(rows) % additive.ROWS), mode="edge") if len(rows) else rows
        return torch.from_numpy(whole).to(self._device)

    def _slow(self) -> torch.Tensor:
        """``[end, row]``."""
        table = torch.cat([piece.group.slow for piece in self.pieces], dim=1)
        brightness, intensity = (
            self._upload(np.stack(curves)[self._part].T)
            for curves in zip(*((part.brightness, part.intensity) for part in self._parts), strict=True)
        )
        return levels.slow_levels(table, self._at_ends(), brightness, intensity)

    def _at_ends(self) -> torch.Tensor:
        """Seconds since the onset at the chunk's ends: ``[end, row]``."""
        return self._since_s + torch.tensor([[0.0], [0.1]], device=self._device)

    def _turns(self) -> torch.Tensor:
        """``[row, border]``."""
        freq_hz = np.concatenate([piece.group.freq_hz for piece in self.pieces])
        phase = np.concatenate([piece.group.phase_turns for piece in self.pieces])
        start = additive.start_turns(freq_hz, phase, self._since_frames, self._grid.audio.sample_rate_hz)
        turns = torch.cat([piece.group.turns for piece in self.pieces]) + self._upload(start[:, None])
        bending = int(self._ends[sum(piece.bends for piece in self.pieces)])
        if bending:
            bend = torch.cat([piece.group.bend for piece in self.pieces], dim=1)[:, :bending, None]
            turns[:bending] += levels.bent_turns(bend, self._since_s[:bending, None] + self._borders_s)
        return turns

    def _upload(self, array: NDArray[np.float64] | NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self._device)
