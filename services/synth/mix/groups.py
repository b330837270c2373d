"""Groups: the partials of one layer on one grid, put together once and used as long as they sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp import additive
from services.synth.dsp.grid import Grid
from services.synth.voices.columns import Bend, Fast, Slow
from services.synth.voices.voice import OnGrid, Voice

# A partial that is silent, whatever is computed with it.
_SILENT: Final[dict[type[Slow | Fast | Bend], dict[int, float]]] = {
    Slow: {Slow.CUTOFF_HZ: 1e9},
    Fast: {Fast.ATTACK_S: 1.0, Fast.GATE_S: 1e6, Fast.RELEASE_S: 1.0},
    Bend: {Bend.SLIDE_S: 1.0},
}


@dataclass(frozen=True, slots=True)
class Group:
    """Tables ``[column, row]`` as in :mod:`services.synth.voices.columns`, with silent rows that fill it up.

    There are whole :data:`additive.ROWS`. ``turns`` and ``bases`` are ``[row, ...]``;
    ``freq_hz``, ``phase_turns`` and ``at_frame`` (``[row]``) give the phase at any frame.
    """

    parts: tuple[OnGrid, ...]
    slow: torch.Tensor
    fast: torch.Tensor
    bend: torch.Tensor
    turns: torch.Tensor
    bases: torch.Tensor
    freq_hz: NDArray[np.float64]
    phase_turns: NDArray[np.float64]
    at_frame: NDArray[np.int64]

    def __len__(self) -> int:
        """Partials, with those that fill up."""
        return len(self.freq_hz)

    def made_of(self, parts: Sequence[OnGrid]) -> bool:
        """Whether these very parts are in the group, in this order."""
        return len(parts) == len(self.parts) and all(map(_same, parts, self.parts))


def _same(one: OnGrid, other: OnGrid) -> bool:
    return one is other


def assemble(voices: Sequence[Voice], parts: Sequence[OnGrid], grid: Grid, device: torch.device) -> Group:
    """The group of ``parts``, one of each of ``voices``."""
    rows = [part.rows for part in parts]
    count = sum(map(len, rows))
    missing = -count % additive.ROWS
    upload = [
        _filled([row.slow for row in rows], _silent_rows(Slow, missing)).T.copy(),
        _filled([row.fast for row in rows], _silent_rows(Fast, missing)).T.copy(),
        _filled([row.bend for row in rows], _silent_rows(Bend, missing)).T.copy(),
        _filled([part.turns for part in parts], np.zeros((missing, grid.all_blocks + 1))),
        _filled(
            [part.bases for part in parts],
            np.zeros((missing, additive.PARTS, AUDIO_CHANNELS, 2 * grid.block)),
        ),
    ]
    slow, fast, bend, turns, bases = (torch.from_numpy(array).to(device) for array in upload)
    nothing = np.zeros(missing)
    frames = [np.full(len(row), voice.timing.at) for voice, row in zip(voices, rows, strict=True)]
    return Group(
        tuple(parts), slow, fast, bend, turns, bases,
        np.concatenate([*(row.freq_hz for row in rows), nothing]),
        np.concatenate([*(row.phase_turns for row in rows), nothing]),
        np.concatenate([*frames, nothing]).astype(np.int64),
    )  # fmt: skip


def _silent_rows(columns: type[Slow | Fast | Bend], count: int) -> NDArray[np.float64]:
    rows = np.zeros((count, len(columns)))
    for column, value in _SILENT[columns].items():
        rows[:, column] = value
    return rows


def _filled(arrays: Sequence[NDArray[np.float32]], filling: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.concatenate([*arrays, filling.astype(np.float32)])
