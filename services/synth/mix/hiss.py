"""The noise of a batch's voices, mixed into outputs on the grids of its bands."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid, noise
from services.synth.dsp.arrays import Array, Device
from services.synth.dsp.grid import Grid
from services.synth.mix.arrangement import Arrangement, HissRows
from services.synth.mix.sounding import Sounding
from services.synth.voices import hiss_terms, levels


class _Bands:
    """The bands of several chunks' noises, padded to whole :data:`additive.ROWS` with silent ones."""

    def __init__(self, found: Sequence[tuple[int, Array, NDArray[np.int64]]], device: Device) -> None:
        sizes = [len(at) for _, _, at in found]
        missing = -sum(sizes) % additive.ROWS
        silence = np.zeros((hiss_terms.COUNT, missing), dtype=np.float32)
        self.table = arrays.joined([*(table for _, table, _ in found), arrays.on(device, silence)], axis=1)
        self.onsets = np.concatenate([*(at for _, _, at in found), np.zeros(missing, dtype=np.int64)])
        owners = [owner for owner, _, _ in found]
        self.owners = np.repeat([*owners, 0], [*sizes, missing])
        ends = list(accumulate(sizes, initial=0))
        self.at = dict(zip(owners, map(slice, ends[:-1], ends[1:]), strict=True))


class HissStack:
    """Everything about the noises of ``arrangements`` that does not change from chunk to chunk."""

    def __init__(self, arrangements: Sequence[Arrangement], device: Device) -> None:
        self.rows = {owner: rows for owner, each in enumerate(arrangements) if (rows := each.hiss)}
        self.still = _Bands([(i, each.still, each.still_at) for i, each in self.rows.items()], device)
        self.moving = _Bands([(i, each.moving, each.moving_at) for i, each in self.rows.items()], device)


class Hisses:
    """The noises of chunks: their gains at a chunk's ends or, where some move, at its borders."""

    def __init__(
        self, soundings: Sequence[Sounding], stack: HissStack, audio: AudioFormat, device: Device
    ) -> None:
        self._soundings = soundings
        self._stack = stack
        self._audio = audio
        self._device = device
        frames = noise.border_frames(audio)
        self._along = arrays.single(device, frames / audio.frames_per_chunk)[:, None]
        self._still = self._levels(stack.still, np.array([0, audio.frames_per_chunk]))
        self._moving = self._levels(stack.moving, frames)

    def mixed(self) -> "dict[int, Noise]":
        """The noise of each chunk that has some, mixed into outputs."""
        return {owner: self._noise(owner, rows) for owner, rows in self._stack.rows.items()}

    def _noise(self, owner: int, rows: HissRows) -> "Noise":
        sounding, level = self._soundings[owner], self._still[:, self._stack.still.at[owner]]
        if rows.moving.shape[1]:
            moving = self._moving[:, self._stack.moving.at[owner]]
            level = arrays.joined([levels.between(level[0], level[1], self._along), moving], axis=1)
        power = (level * level).reshape(len(level), -1, noise.BANDS).swapaxes(0, 1)
        # The voices of a layer share one noise signal: its power is the sum of theirs.
        ears, layers, noises = rows.members.shape
        sums = arrays.product(rows.members.reshape(-1, noises), power.reshape(noises, -1))
        gains = self._leveled(sums**0.5, sounding, rows.layers).reshape(ears, layers, -1)
        outputs = arrays.product(rows.mixing, gains)
        by_ear = outputs.reshape(ears, -1, len(level), noise.BANDS)
        return Noise(sounding, rows.lowest, rows.highest, by_ear.swapaxes(0, 2))

    def _leveled(self, gains: Array, sounding: Sounding, layers: tuple[str, ...]) -> Array:
        """Apply the gain of each layer at each time to ``[ear and layer, time and band]``."""
        ends = sounding.gains_of(layers)
        if ends is None:
            return gains
        level = arrays.on(self._device, ends.astype(np.float32))
        times = gains.shape[1] // noise.BANDS
        if times != additive.ENDS:
            level = levels.between(level[0], level[1], self._along)
        by_time = gains.reshape(-1, len(layers), times, noise.BANDS) * level.T[..., None]
        return by_time.reshape(gains.shape)

    def _levels(self, bands: _Bands, at_frames: NDArray[np.int64]) -> Array:
        """Gains ``[time, noise and band]`` at frames from each chunk's start."""
        if not len(bands.owners):
            return arrays.on(self._device, np.zeros((len(at_frames), 0), dtype=np.float32))
        starts = np.array([each.start_frame for each in self._soundings], dtype=np.int64)
        since_s = (starts.take(bands.owners) - bands.onsets) / self._audio.sample_rate_hz
        times = arrays.single(self._device, at_frames / self._audio.sample_rate_hz)[:, None]
        start, end = np.array([each.intensity for each in self._soundings]).T
        along = (at_frames / self._audio.frames_per_chunk)[:, None]
        intensity = arrays.single(self._device, (start + (end - start) * along).take(bands.owners, axis=1))
        return levels.hiss_levels(bands.table, arrays.single(self._device, since_s) + times, intensity)


class Noise(NamedTuple):
    """One chunk's noise: gains ``[time, output, ear, band]``; bands ``lowest`` to ``highest`` are heard."""

    sounding: Sounding
    lowest: int
    highest: int
    gains: Array

    def is_on(self, on: Grid) -> bool:
        """Whether any heard band lies on a grid."""
        first, after = _bands_on(on, self.lowest, self.highest)
        return first < after

    def on(self, on: Grid) -> Array:
        """The heard bands on a grid, for :func:`upsample`: ``[output, sample]``."""
        which = range(*_bands_on(on, self.lowest, self.highest))
        times, outputs = self.gains.shape[:2]
        gains = self.gains[..., which.start : which.stop].reshape(times, outputs, -1)
        found = noise.bands(self.sounding.seed, self.sounding.start_frame, which, on, arrays.home_of(gains))
        source = found.reshape(-1, found.shape[-1])
        if times == additive.ENDS:
            return noise.faded(gains, source, on)
        return noise.shaped(gains if noise.around(on) else gains[1:-1], source, on)


def _bands_on(on: Grid, lowest: int, highest: int) -> tuple[int, int]:
    """The first heard band on a grid and the one after the last."""
    if on.divisor == 1:
        return max(lowest, noise.LAST_COARSE + 1), highest + 1
    return (lowest, min(highest, noise.LAST_COARSE) + 1) if on is grid.coarse(on.audio) else (0, 0)
