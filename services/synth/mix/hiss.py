"""The noise of a batch's voices, on the grids of its bands and in the outputs that it is mixed to."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid, noise
from services.synth.dsp.arrays import Array
from services.synth.dsp.grid import Grid
from services.synth.mix.arrangement import Arrangement, HissRows
from services.synth.mix.desk import Mixes
from services.synth.mix.sounding import Sounding
from services.synth.voices import levels
from services.synth.voices.columns import Hiss

# A chunk, a table ``[column, noise and band]`` and the frame of each column's onset.
_Rows = tuple[Sounding, Array, NDArray[np.int64]]

_SILENT: Final = {Hiss.ATTACK_S: 1.0, Hiss.RISE: 1.0, Hiss.GATE_S: 1e6, Hiss.RELEASE_S: 1.0}


class Hisses:
    """The noises of chunks: their gains at a chunk's ends or, where some move, at its borders."""

    def __init__(
        self,
        soundings: Sequence[Sounding],
        arrangements: Sequence[Arrangement],
        audio: AudioFormat,
        device: torch.device,
    ) -> None:
        self._audio = audio
        self._device = device
        frames = noise.border_frames(audio)
        self._along = arrays.single(device, frames / audio.frames_per_chunk)[:, None]
        pairs = enumerate(zip(soundings, arrangements, strict=True))
        self._found = {i: (sounding, rows) for i, (sounding, each) in pairs if (rows := each.hiss)}
        self._still = self._levels(
            [(sounding, rows.still, rows.still_at) for sounding, rows in self._found.values()],
            np.array([0, audio.frames_per_chunk]),
        )
        self._moving = self._levels(
            [(sounding, rows.moving, rows.moving_at) for sounding, rows in self._found.values()], frames
        )

    def mixed(self, desk: Mixes) -> "dict[int, Noise]":
        """The noise of each chunk that has some, weighed into outputs by ``desk``."""
        found = zip(self._found.items(), self._still, self._moving, strict=True)
        return {i: self._noise(*chunk, still, moving, desk) for (i, chunk), still, moving in found}

    def _noise(self, sounding: Sounding, rows: HissRows, still: Array, moving: Array, desk: Mixes) -> "Noise":
        level = still
        if rows.moving.shape[1]:
            level = arrays.joined([levels.between(still[0], still[1], self._along), moving], axis=1)
        power = (level * level).reshape(len(level), -1, noise.BANDS).swapaxes(0, 1)
        # What the voices of a layer share is one noise: their powers add.
        ears, layers, noises = rows.members.shape
        sums = arrays.product(rows.members.reshape(-1, noises), power.reshape(noises, -1))
        gains = self._leveled(sums**0.5, sounding, rows.layers).reshape(ears, layers, -1)
        weights = arrays.on(self._device, desk.weights(rows.layers))
        outputs = arrays.product(weights.swapaxes(1, 2).swapaxes(0, 1), gains)
        by_ear = outputs.reshape(ears, len(weights), len(level), noise.BANDS)
        return Noise(sounding, rows.lowest, rows.highest, by_ear.swapaxes(0, 2))

    def _leveled(self, gains: Array, sounding: Sounding, layers: tuple[str, ...]) -> Array:
        """``[ear and layer, time and band]`` as loud as each layer is at the time."""
        ends = sounding.gains_of(layers)
        if ends is None:
            return gains
        level = arrays.on(self._device, ends.astype(np.float32))
        times = gains.shape[1] // noise.BANDS
        if times != additive.ENDS:
            level = levels.between(level[0], level[1], self._along)
        by_time = gains.reshape(-1, len(layers), times, noise.BANDS) * level.T[..., None]
        return by_time.reshape(gains.shape)

    def _levels(self, found: Sequence[_Rows], at_frames: NDArray[np.int64]) -> Sequence[Array]:
        """``[time, row]`` of each chunk, at frames from its start."""
        sizes = [len(at) for _, _, at in found]
        missing = -sum(sizes) % additive.ROWS
        if not sum(sizes):
            return [arrays.on(self._device, np.zeros((len(at_frames), 0), np.float32)) for _ in found]
        tables = [*(rows for _, rows, at in found if len(at)), self._silence(missing)]
        since = [sounding.start_frame - at for sounding, _, at in found]
        since_s = np.concatenate([*since, np.zeros(missing)]) / self._audio.sample_rate_hz
        ends = np.repeat([sounding.intensity for sounding, _, _ in found], sizes, axis=0)
        start, end = arrays.single(self._device, np.pad(ends, ((0, missing), (0, 0))).T)
        along = arrays.single(self._device, at_frames / self._audio.frames_per_chunk)[:, None]
        times = arrays.single(self._device, at_frames / self._audio.sample_rate_hz)[:, None]
        intensity = start + (end - start) * along
        level = levels.hiss_levels(
            arrays.joined(tables, axis=1), arrays.single(self._device, since_s) + times, intensity
        )
        firsts = accumulate(sizes, initial=0)
        return [level[:, first : first + size] for first, size in zip(firsts, sizes, strict=False)]

    def _silence(self, count: int) -> Array:
        table = np.zeros((len(Hiss), count), dtype=np.float32)
        for column, value in _SILENT.items():
            table[column] = value
        return arrays.on(self._device, table)


class Noise(NamedTuple):
    """One chunk's noise: ``gains`` are ``[time, output, ear, band]``; ``lowest`` to ``highest`` are heard."""

    sounding: Sounding
    lowest: int
    highest: int
    gains: Array

    def is_on(self, on: Grid) -> bool:
        """Whether anything of it is heard on a grid."""
        first, after = _bands_on(on, self.lowest, self.highest)
        return first < after

    def on(self, on: Grid) -> Array:
        """What is heard of it on a grid, as :func:`upsample` wants it: ``[output, sample]``."""
        which = range(*_bands_on(on, self.lowest, self.highest))
        times, outputs = self.gains.shape[:2]
        gains = self.gains[..., which.start : which.stop].reshape(times, outputs, -1)
        found = noise.bands(self.sounding.seed, self.sounding.start_frame, which, on)
        source = arrays.at(arrays.home_of(gains), found.reshape(-1, found.shape[-1]))
        if times == additive.ENDS:
            return noise.faded(gains, source, on)
        return noise.shaped(gains if noise.around(on) else gains[1:-1], source, on)


def _bands_on(on: Grid, lowest: int, highest: int) -> tuple[int, int]:
    """The first band on a grid and the one after the last."""
    if on.divisor == 1:
        return max(lowest, noise.LAST_COARSE + 1), highest + 1
    return (lowest, min(highest, noise.LAST_COARSE) + 1) if on is grid.coarse(on.audio) else (0, 0)
