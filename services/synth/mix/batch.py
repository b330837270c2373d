"""The partials of a batch of chunks: everything about them that is elementwise, computed at once.

Most levels move so slowly that a chunk's two ends say all; they are interpolated. Only where a note begins or
ends fast, every border is computed.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp import additive, grid
from services.synth.dsp.additive import PARTS
from services.synth.dsp.grid import Grid
from services.synth.mix.arrangement import Arrangement, GridRows
from services.synth.mix.sounding import Sounding
from services.synth.voices import levels
from services.synth.voices.columns import Bend, Fast, Slow

# Where the columns of a table lie: what moves slowly, what moves fast, what bends, the ears.
_SLOW: Final = slice(0, len(Slow))
_FAST: Final = slice(_SLOW.stop, _SLOW.stop + len(Fast))
_BEND: Final = slice(_FAST.stop, _FAST.stop + len(Bend))
_EARS: Final = slice(_BEND.stop, _BEND.stop + AUDIO_CHANNELS)
# A partial that is silent, whatever is computed with it: columns that may not be 0.
_SILENT: Final = {
    Slow.CUTOFF_HZ: 1e9,
    _FAST.start + Fast.ATTACK_S: 1.0,
    _FAST.start + Fast.GATE_S: 1e6,
    _FAST.start + Fast.RELEASE_S: 1.0,
    _BEND.start + Bend.SLIDE_S: 1.0,
}


class Scene(NamedTuple):
    """A chunk of the batch and the arrangement of its voices."""

    sounding: Sounding
    arrangement: Arrangement


class _Place(NamedTuple):
    """Where the rows of one of the scenes lie on a grid: from ``first`` on."""

    scene: int
    first: int
    rows: GridRows


class _OnGrid:
    """The rows of all scenes on one grid, filled up to whole :data:`additive.ROWS` with silent ones."""

    def __init__(self, found: Sequence[tuple[int, GridRows]]) -> None:
        firsts = list(accumulate((len(rows) for _, rows in found), initial=0))
        self.places = [
            _Place(scene, first, rows) for (scene, rows), first in zip(found, firsts, strict=False)
        ]
        self.missing = -firsts[-1] % additive.ROWS
        self.size = firsts[-1] + self.missing

    @property
    def tables(self) -> list[torch.Tensor]:
        """``[column, row]``."""
        return [*(each.rows.table for each in self.places), _silence(self.missing)]

    @property
    def tones(self) -> list[NDArray[np.float64]]:
        """``[3, row]``."""
        return [*(each.rows.tones for each in self.places), np.zeros((3, self.missing))]

    @property
    def scenes(self) -> NDArray[np.intp]:
        """Which scene each row belongs to."""
        sizes = [*(len(each.rows) for each in self.places), self.missing]
        return np.repeat([*(each.scene for each in self.places), 0], sizes)

    def indices(self, name: str) -> NDArray[np.intp]:
        """Rows that are ``moving`` or ``bending``; filled up, too, by repeating the last one."""
        rows = [getattr(each.rows, name) + each.first for each in self.places]
        index = np.concatenate([np.zeros(0, dtype=np.intp), *rows])
        return np.concatenate([index, np.repeat(index[-1:], -len(index) % additive.ROWS)])


class Batch:
    """The partials of ``scenes``, all that are on one grid after another."""

    def __init__(self, scenes: Sequence[Scene], audio: AudioFormat, device: torch.device) -> None:
        self._scenes = scenes
        self._audio = audio
        self._device = device
        self._grids = [
            _OnGrid([(i, rows) for i, each in enumerate(scenes) if (rows := each.arrangement.grids[place])])
            for place in range(len(grid.grids(audio)))
        ]
        self._firsts = list(accumulate((each.size for each in self._grids), initial=0))
        tables = [table.to(device) for each in self._grids for table in each.tables]
        self._table = torch.cat(tables, dim=1)
        self._scene_of = np.concatenate([each.scenes for each in self._grids])
        tones = np.concatenate([tones for each in self._grids for tones in each.tones], axis=1)
        starts = np.array([each.sounding.start_frame for each in scenes], dtype=np.int64)
        since_frames = starts[self._scene_of] - tones[2].astype(np.int64)
        self._since_s = self._upload(since_frames / audio.sample_rate_hz)
        turns = additive.start_turns(tones[0], tones[1], since_frames, audio.sample_rate_hz)
        self._start = additive.unit_phasors(self._upload(turns))
        # What is needed of each row, for both of its parts.
        self._parts = additive.in_parts(torch.cat([self._ends(), self._table[_EARS]]))

    def factors(self, place: int) -> list[torch.Tensor | None]:
        """The left factor of each scene's products on a grid: ``[ear and border, row and part]``."""
        found: list[torch.Tensor | None] = [None] * len(self._scenes)
        if self._grids[place].size:
            left = self._left(self._grids[place], self._firsts[place], grid.grids(self._audio)[place])
            for scene, first, rows in self._grids[place].places:
                found[scene] = left[:, PARTS * first : PARTS * (first + len(rows))]
        return found

    def _left(self, here: _OnGrid, first: int, on: Grid) -> torch.Tensor:
        rows = slice(first, first + here.size)
        start, end, left, right = self._parts[:, PARTS * rows.start : PARTS * rows.stop]
        along = self._upload(on.border_frames / on.audio.frames_per_chunk)[:, None]
        times_s = self._upload(on.border_frames / on.audio.sample_rate_hz)[:, None]
        amplitude = torch.addcmul(start, end - start, along).clamp_(min=0.0)
        self._move(amplitude, here.indices("moving"), rows, times_s)
        phasors = [each.rows.phasors for each in here.places]
        phasors.append(self._start.new_zeros(len(on.border_frames), here.missing))
        turned = torch.cat(phasors, dim=1) * self._start[rows]
        self._bend(turned, here.indices("bending"), rows, times_s)
        return additive.ears(turned, amplitude, torch.stack([left, right]))

    def _move(
        self, amplitude: torch.Tensor, index: NDArray[np.intp], rows: slice, times_s: torch.Tensor
    ) -> None:
        """What moves fast is computed at every border."""
        if len(index):
            table, since_s = self._some(_FAST, index + rows.start)
            level = levels.fast_levels(table, since_s + times_s)
            both = torch.from_numpy((PARTS * index[:, None] + np.arange(PARTS)).reshape(-1)).to(self._device)
            amplitude.index_copy_(1, both, amplitude[:, both] * additive.in_parts(level))

    def _bend(
        self, phasors: torch.Tensor, index: NDArray[np.intp], rows: slice, times_s: torch.Tensor
    ) -> None:
        """What slides or vibrates is turned on."""
        if len(index):
            table, since_s = self._some(_BEND, index + rows.start)
            here = torch.from_numpy(index).to(self._device)
            by = additive.unit_phasors(levels.bent_turns(table, since_s + times_s))
            phasors.index_copy_(1, here, phasors[:, here] * by)

    def _some(self, columns: slice, index: NDArray[np.intp]) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns and seconds since the onset of some rows."""
        rows = torch.from_numpy(index).to(self._device)
        return self._table[columns][:, rows], self._since_s[rows]

    def _ends(self) -> torch.Tensor:
        """Levels at the chunk's ends, but for what moves fast: ``[end, row]``."""
        at_ends = self._since_s + torch.tensor([[0.0], [1 / CHUNKS_PER_SECOND]], device=self._device)
        brightness, intensity = (
            self._upload(
                np.stack([getattr(each.sounding, name) for each in self._scenes]).T[:, self._scene_of]
            )
            for name in ("brightness", "intensity")
        )
        slow = levels.slow_levels(self._table[_SLOW], at_ends, brightness, intensity)
        fast = levels.fast_levels(self._table[_FAST], at_ends)
        moving = np.zeros(len(self._scene_of), dtype=bool)
        for here, first in zip(self._grids, self._firsts, strict=False):
            moving[here.indices("moving") + first] = True
        return torch.where(torch.from_numpy(moving).to(self._device), slow, slow * fast)

    def _upload(self, array: NDArray[np.float64] | NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self._device)


def _silence(count: int) -> torch.Tensor:
    table = np.zeros((_EARS.stop, count), dtype=np.float32)
    for column, value in _SILENT.items():
        table[column] = value
    return torch.from_numpy(table)
