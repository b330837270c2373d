"""The voices that sound in each part of a batch, as tiles of partials, rendered and summed.

Axes: ``tile`` and ``row`` (a tile's partials, flattened over tiles), ``border`` (sub-block borders of the
chunk), ``frame``, ``channel`` (audio channel).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS
from services.synth.dsp import additive, envelope
from services.synth.dsp.grid import Grid
from services.synth.voice import Column, Voice

# A patch's cut-off moves by this many octaves from brightness 0 to 1.
_BRIGHTNESS_OCTAVES: Final = 2.6


class Sounding(NamedTuple):
    """What sounds in one chunk: ``brightness`` stands at the sub-block borders."""

    start_frame: int
    voices: Sequence[Voice]
    brightness: NDArray[np.float64]


def mix(parts: Sequence[Sounding], grid: Grid, device: torch.device) -> torch.Tensor:
    """Render and sum: ``[part, frame, channel]``, linear, 1 = full scale."""
    mixed = torch.zeros(len(parts), grid.audio.frames_per_chunk, AUDIO_CHANNELS, device=device)
    tiles = [_tiles(part) for part in parts]
    if not sum(tiles):
        return mixed
    rendered = _render([part for part in parts if part.voices], grid, device)
    # Tile after tile in their order: a sum that torch may regroup would depend on the batch.
    first = 0
    for index, count in enumerate(tiles):
        for tile in rendered[first : first + count]:
            mixed[index] += tile
        first += count
    return mixed


def _tiles(part: Sounding) -> int:
    return -(-sum(voice.partials for voice in part.voices) // additive.TILE)


def _render(parts: Sequence[Sounding], grid: Grid, device: torch.device) -> torch.Tensor:
    rate = grid.audio.sample_rate_hz
    table = _upload(_rows(parts, [[v.table for v in p.voices] for p in parts], _SILENT_ROW), device)
    bases = _upload(_rows(parts, [[v.bases for v in p.voices] for p in parts]), device)
    rotations = _upload(_rows(parts, [[v.rotations for v in p.voices] for p in parts]), device)
    phasors = _upload(_rows(parts, [[_phasor(v, p, rate) for v in p.voices] for p in parts]), device)
    onset_s = _upload(_rows(parts, [[_since_onset(v, p, rate) for v in p.voices] for p in parts]), device)
    brightness = _upload(
        np.concatenate([np.repeat(p.brightness[None], _tiles(p), axis=0) for p in parts]), device
    )
    borders_s = torch.arange(grid.blocks + 1, device=device) * (grid.block / rate)
    amplitude = _amplitude(table, onset_s + borders_s, brightness.repeat_interleave(additive.TILE, dim=0))
    return additive.synthesise(amplitude, rotations, phasors, bases, grid)


def _amplitude(table: torch.Tensor, since_onset_s: torch.Tensor, brightness: torch.Tensor) -> torch.Tensor:
    """Closed-form amplitudes ``[row, border]`` of all partials."""
    column = {name: table[:, name, None] for name in Column}
    level = envelope.attack(since_onset_s, column[Column.ATTACK_S])
    level = level * envelope.release(since_onset_s - column[Column.GATE_S], column[Column.RELEASE_S])
    level = level * envelope.two_stage_decay(
        since_onset_s, column[Column.FAST_DB_S], column[Column.SLOW_DB_S], column[Column.SLOW_SHARE]
    )
    level = level * envelope.wander(
        since_onset_s, column[Column.WANDER_HZ], column[Column.WANDER_TURNS], column[Column.WANDER_DB]
    )
    cutoff_hz = column[Column.CUTOFF_HZ] * torch.exp2(_BRIGHTNESS_OCTAVES * (brightness - 0.5))
    return level * envelope.low_pass(column[Column.FREQ_HZ], cutoff_hz) * column[Column.GAIN]


_SILENT_ROW: Final = np.array(
    [1.0 if column in (Column.ATTACK_S, Column.RELEASE_S, Column.CUTOFF_HZ) else 0.0 for column in Column],
    dtype=np.float32,
)


def _rows(
    parts: Sequence[Sounding],
    arrays: Sequence[Sequence[NDArray[np.float32]]],
    padding: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Each part's voices one after the other, filled up to whole tiles with silent partials."""
    pieces: list[NDArray[np.float32]] = []
    for part, voices in zip(parts, arrays, strict=True):
        missing = _tiles(part) * additive.TILE - sum(voice.partials for voice in part.voices)
        fill = np.zeros((missing, *voices[0].shape[1:]), dtype=np.float32)
        if padding is not None:
            fill[:] = padding
        pieces += [*voices, fill]
    return np.concatenate(pieces)


def _phasor(voice: Voice, part: Sounding, rate_hz: int) -> NDArray[np.float32]:
    since = np.full(voice.partials, part.start_frame - voice.at_frame)
    return additive.start_phasor(voice.freq_hz, voice.phase_turns, since, rate_hz)


def _since_onset(voice: Voice, part: Sounding, rate_hz: int) -> NDArray[np.float32]:
    since_s = (part.start_frame - voice.at_frame) / rate_hz
    return np.full((voice.partials, 1), since_s, dtype=np.float32)


def _upload(array: NDArray[np.float32] | NDArray[np.float64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32, copy=False)).to(device)
