"""The noise of a batch's voices, by layer."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp import noise
from services.synth.dsp.grid import Grid
from services.synth.mix import levels
from services.synth.mix.sounding import Sounding
from services.synth.voices.columns import Hiss
from services.synth.voices.voice import Voice

# As many noises at a time fill the widest registers, whatever the grid.
_PARTS: Final = 8
# A band that never rises over -110 dB of full scale.
_INAUDIBLE: Final = 3e-6
_SILENT: Final = {Hiss.ATTACK_S: 1.0, Hiss.RISE: 1.0, Hiss.GATE_S: 1e6, Hiss.RELEASE_S: 1.0}


def render_hiss(parts: Sequence[Sounding], grid: Grid, device: torch.device) -> list[dict[str, torch.Tensor]]:
    """Each part's layers of noise, ``[ear, frame]``; ``grid`` is the coarse one."""
    hissing = [[voice for voice in part.voices if len(voice.hiss)] for part in parts]
    if not any(hissing):
        return [{} for _ in parts]
    gains = _gains(parts, hissing, grid, device)
    rendered, first = [], 0
    for part, voices in zip(parts, hissing, strict=True):
        last = first + sum(len(voice.hiss) for voice in voices)
        rendered.append(_part(part, voices, gains[first:last], grid))
        first = last
    return rendered


def _part(
    part: Sounding, voices: Sequence[Voice], gains: torch.Tensor, grid: Grid
) -> dict[str, torch.Tensor]:
    if not voices:
        return {}
    layers = sorted({voice.layer for voice in voices})
    tables = np.concatenate([voice.hiss for voice in voices])
    which = np.flatnonzero(tables[:, :, Hiss.GAIN].max(axis=0) > _INAUDIBLE)
    heard = gains[:, torch.from_numpy(which).to(gains.device)]
    # What the voices of a layer share is one noise: their powers add.
    powers = (heard * heard).flatten(1)
    summed = torch.from_numpy(_members(layers, voices, tables)).to(gains.device) @ powers
    shape = (len(layers), AUDIO_CHANNELS, *heard.shape[1:])
    bands = torch.from_numpy(noise.bands(part.seed, part.start_frame, which.tolist(), grid)).to(gains.device)
    return dict(zip(layers, noise.shape(torch.sqrt(summed).reshape(shape), bands), strict=True))


def _members(
    layers: Sequence[str], voices: Sequence[Voice], tables: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The power that each noise adds to each layer and ear: ``[layer and ear, noise]``."""
    sides = tables[:, 0, [Hiss.LEFT, Hiss.RIGHT]] ** 2
    places = np.repeat([layers.index(voice.layer) for voice in voices], [len(voice.hiss) for voice in voices])
    members = np.zeros((len(layers), AUDIO_CHANNELS, len(tables)), dtype=np.float32)
    members[places, :, np.arange(len(tables))] = sides
    return members.reshape(-1, len(tables))


def _gains(
    parts: Sequence[Sounding], hissing: Sequence[Sequence[Voice]], grid: Grid, device: torch.device
) -> torch.Tensor:
    """``[noise, band, border]``, in the order of the parts and their voices."""
    audio = grid.audio
    inner = grid.border_frames[grid.margin : len(grid.border_frames) - grid.margin]
    placed = [(part, voice) for part, voices in zip(parts, hissing, strict=True) for voice in voices]
    counts = [len(voice.hiss) for _, voice in placed]
    table = np.concatenate([*(voice.hiss for _, voice in placed), _silence(-sum(counts) % _PARTS)])
    since = np.array([part.start_frame - voice.timing.at for part, voice in placed]) / audio.sample_rate_hz
    since_s = np.pad(np.repeat(since, counts), (0, len(table) - sum(counts)))
    curve = np.stack([part.intensity for part, _ in placed])
    intensity = np.pad(np.repeat(curve, counts, axis=0), ((0, len(table) - sum(counts)), (0, 0)))
    along = inner / audio.frames_per_chunk
    moving = intensity[:, :1] + (intensity[:, 1:] - intensity[:, :1]) * along

    def rows(values: NDArray[np.float64]) -> torch.Tensor:
        wide = np.broadcast_to(values[:, None, :], (len(table), noise.BANDS, len(inner)))
        return torch.from_numpy(wide.astype(np.float32)).to(device)

    columns = torch.from_numpy(np.ascontiguousarray(table.transpose(2, 0, 1)[..., None])).to(device)
    return levels.hiss_levels(columns, rows(since_s[:, None] + inner / audio.sample_rate_hz), rows(moving))


def _silence(count: int) -> NDArray[np.float32]:
    table = np.zeros((count, noise.BANDS, len(Hiss)), dtype=np.float32)
    for column, value in _SILENT.items():
        table[..., column] = value
    return table
