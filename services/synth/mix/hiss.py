"""The noise of a batch's voices, by layer."""

from collections.abc import Sequence
from typing import Final, NamedTuple

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

# As many noises at a time fill the widest registers, whatever the times.
_PARTS: Final = 8
# A band that never rises over -110 dB of full scale.
_INAUDIBLE: Final = 3e-6
_SILENT: Final = {Hiss.ATTACK_S: 1.0, Hiss.RISE: 1.0, Hiss.GATE_S: 1e6, Hiss.RELEASE_S: 1.0}


class _Placed(NamedTuple):
    """A voice's noise in one part of the batch."""

    part: Sounding
    voice: Voice
    moves: bool


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
    """``[noise, band, border]``, in the order of the parts and their voices.

    What moves fast is computed at every border, all else at the chunk's ends and interpolated.
    """
    frames = grid.audio.frames_per_chunk
    inner = grid.border_frames[grid.margin : len(grid.border_frames) - grid.margin]
    placed = [
        _Placed(part, voice, voice.moves(part.start_frame, part.start_frame + frames))
        for part, voices in zip(parts, hissing, strict=True)
        for voice in voices
    ]
    moves = np.repeat([each.moves for each in placed], [len(each.voice.hiss) for each in placed])
    moving = _levels([each for each in placed if each.moves], inner, grid, device)
    start, end = _levels([each for each in placed if not each.moves], _ends(frames), grid, device).unbind(-1)
    along = torch.from_numpy((inner / frames).astype(np.float32)).to(device)
    gains = torch.empty(len(moves), noise.BANDS, len(inner), device=device)
    index = torch.from_numpy(moves).to(device)
    gains[index] = moving
    gains[~index] = start[..., None] + (end - start)[..., None] * along
    return gains


def _ends(frames: int) -> NDArray[np.int64]:
    return np.array([0, frames])


def _levels(
    placed: Sequence[_Placed], at_frames: NDArray[np.int64], grid: Grid, device: torch.device
) -> torch.Tensor:
    """``[noise, band, time]`` at ``at_frames`` from the chunk's start."""
    counts = [len(each.voice.hiss) for each in placed]
    if not counts:
        return torch.zeros(0, noise.BANDS, len(at_frames), device=device)
    rows, rate_hz = sum(counts), grid.audio.sample_rate_hz
    table = np.concatenate([*(each.voice.hiss for each in placed), _silence(-rows % _PARTS)])
    since = np.repeat([each.part.start_frame - each.voice.timing.at for each in placed], counts)
    since_s = (np.pad(since, (0, len(table) - rows))[:, None] + at_frames) / rate_hz
    ends = np.repeat([each.part.intensity for each in placed], counts, axis=0)
    start, end = np.pad(ends, ((0, len(table) - rows), (0, 0))).T[:, :, None]
    intensity = start + (end - start) * (at_frames / grid.audio.frames_per_chunk)

    def spread(values: NDArray[np.float64]) -> torch.Tensor:
        wide = np.broadcast_to(values[:, None, :], (len(table), noise.BANDS, len(at_frames)))
        return torch.from_numpy(wide.astype(np.float32)).to(device)

    columns = torch.from_numpy(np.ascontiguousarray(table.transpose(2, 0, 1)[..., None])).to(device)
    return levels.hiss_levels(columns, spread(since_s), spread(intensity))[:rows]


def _silence(count: int) -> NDArray[np.float32]:
    table = np.zeros((count, noise.BANDS, len(Hiss)), dtype=np.float32)
    for column, value in _SILENT.items():
        table[..., column] = value
    return table
