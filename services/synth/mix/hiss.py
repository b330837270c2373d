"""The noise of a batch's voices, on the grids of its bands and in the outputs that it is mixed to."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, grid, noise
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import trimmed
from services.synth.mix.batch import Scene
from services.synth.mix.sounding import Sounding
from services.synth.voices import levels
from services.synth.voices.columns import Hiss

_ENDS: Final = 2

# A chunk, a table ``[column, noise and band]`` and the frame of each column's onset.
_Rows = tuple[Sounding, torch.Tensor, NDArray[np.int64]]

_SILENT: Final = {Hiss.ATTACK_S: 1.0, Hiss.RISE: 1.0, Hiss.GATE_S: 1e6, Hiss.RELEASE_S: 1.0}


class Hisses:
    """The noises of ``scenes``: their gains at a chunk's ends or, where some move, at the coarse borders."""

    def __init__(self, scenes: Sequence[Scene], audio: AudioFormat, device: torch.device) -> None:
        self._audio = audio
        self._device = device
        self._grid = grid.coarse(audio)
        frames = self._grid.border_frames
        self._along = self._upload(frames / audio.frames_per_chunk)[:, None]
        hissing = [(each.sounding, each.arrangement.hiss) for each in scenes]
        found = [(sounding, rows) for sounding, rows in hissing if rows is not None]
        still = self._levels(
            [(sounding, rows.still, rows.still_at) for sounding, rows in found],
            np.array([0, audio.frames_per_chunk]),
        )
        moving = self._levels([(sounding, rows.moving, rows.moving_at) for sounding, rows in found], frames)
        each_level = iter(zip(still, moving, strict=True))
        self._found = [
            None if rows is None else (sounding, rows, *next(each_level)) for sounding, rows in hissing
        ]

    def mixed(self, index: int, weights: torch.Tensor) -> "Noise | None":
        """The noise of one of the scenes, weighed into outputs by ``weights`` ``[output, layer, ear]``."""
        found = self._found[index]
        if found is None:
            return None
        sounding, rows, still, moving = found
        if rows.moving.numel():
            start, end = still
            still = torch.addcmul(start, end - start, self._along).clamp_(min=0.0)
        level = torch.cat([still, moving], dim=1) if rows.moving.numel() else still
        power = (level * level).reshape(len(level), -1, noise.BANDS).transpose(0, 1).flatten(1)
        # What the voices of a layer share is one noise: their powers add.
        gains = self._leveled(torch.sqrt(rows.members.flatten(0, 1) @ power), sounding, rows.layers)
        outputs = torch.bmm(weights.permute(2, 0, 1), gains.reshape(*rows.members.shape[:2], -1))
        return Noise(
            sounding,
            rows.lowest,
            rows.highest,
            outputs.reshape(*outputs.shape[:2], len(level), -1).permute(2, 1, 0, 3),
        )

    def _leveled(self, gains: torch.Tensor, sounding: Sounding, layers: tuple[str, ...]) -> torch.Tensor:
        """``[ear and layer, time and band]`` as loud as each layer is at the time."""
        ends = sounding.gains_of(layers)
        if ends is None:
            return gains
        start, end = self._upload(ends)
        times = gains.shape[1] // noise.BANDS
        level = torch.stack([start, end])
        if times != _ENDS:
            level = torch.addcmul(start, end - start, self._along).clamp_(min=0.0)
        by_time = gains.reshape(-1, len(layers), times, noise.BANDS) * level.t()[..., None]
        return by_time.reshape(gains.shape)

    def _levels(self, found: Sequence[_Rows], at_frames: NDArray[np.int64]) -> Sequence[torch.Tensor]:
        """``[time, row]`` of each chunk, at frames from its start."""
        sizes = [len(at) for _, _, at in found]
        missing = -sum(sizes) % additive.ROWS
        if not sum(sizes):
            return [torch.zeros(len(at_frames), 0, device=self._device) for _ in found]
        table = torch.cat([*(rows for _, rows, at in found if len(at)), self._silence(missing)], dim=1)
        since = [sounding.start_frame - at for sounding, _, at in found]
        since_s = np.concatenate([*since, np.zeros(missing)]) / self._audio.sample_rate_hz
        ends = np.repeat([sounding.intensity for sounding, _, _ in found], sizes, axis=0)
        start, end = self._upload(np.pad(ends, ((0, missing), (0, 0))).T)
        along = self._upload(at_frames / self._audio.frames_per_chunk)[:, None]
        times = self._upload(at_frames / self._audio.sample_rate_hz)[:, None]
        intensity = torch.addcmul(start, end - start, along)
        level = levels.hiss_levels(table, self._upload(since_s) + times, intensity)
        return torch.split(level[:, : sum(sizes)], sizes, dim=1)

    def _silence(self, count: int) -> torch.Tensor:
        table = np.zeros((len(Hiss), count), dtype=np.float32)
        for column, value in _SILENT.items():
            table[column] = value
        return torch.from_numpy(table).to(self._device)

    def _upload(self, array: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self._device)


class Noise(NamedTuple):
    """One chunk's noise: ``gains`` are ``[time, output, ear, band]``; ``lowest`` to ``highest`` are heard."""

    sounding: Sounding
    lowest: int
    highest: int
    gains: torch.Tensor

    def on(self, on: Grid) -> torch.Tensor | None:
        """What is heard of it on a grid, as :func:`upsample` wants it: ``[output, sample]``, or None."""
        which = range(*_bands_on(on, self.lowest, self.highest))
        if not which:
            return None
        reach = noise.around(on)
        gains = self.gains[..., which.start : which.stop].flatten(2)
        found = noise.bands(self.sounding.seed, self.sounding.start_frame, which, on)
        source = torch.from_numpy(found.reshape(-1, found.shape[-1])).to(gains.device)
        if len(gains) == _ENDS:
            return trimmed(noise.faded(gains, source, on), reach)
        return trimmed(noise.shaped(gains if reach else gains[1:-1], source), reach)


def _bands_on(on: Grid, lowest: int, highest: int) -> tuple[int, int]:
    """The first band on a grid and the one after the last."""
    if on.divisor == 1:
        return max(lowest, noise.LAST_COARSE + 1), highest + 1
    return (lowest, min(highest, noise.LAST_COARSE) + 1) if on is grid.coarse(on.audio) else (0, 0)
