"""Noise as a function of seed and frame: half-octave bands of circular noise, weighted and summed.

Each band is a table of Gaussian noise without a seam, read at a place that the seed and the absolute frame
give. The tables' lengths differ, so together they repeat after years only. Neighbouring bands overlap
power-complementarily: any smooth spectrum is a set of gains, and gains may move every 4.8 ms.

The right ear reads half a table away from the left one. Half a turn changes the sign of every other
frequency, so what even frequencies have more of is what the ears have in common.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp.grid import Grid
from services.synth.dsp.stereo import diffuse_coherence

BANDS: Final = 20
_LOWEST_HZ: Final = 31.25
_HIGHEST: Final = 0.47  # of the sample rate
_MONO_BANDS: Final = 5  # the lowest, up to 150 Hz
# Ears in a diffuse field share the lows; of the highs, so much that a mono sum loses less than 2 dB.
_LEAST_COHERENCE: Final = 0.3
_COS_SQUARE_BAND: Final = 0.3493  # the width of a band of cos^2 shape over its centre
_SEED: Final = 1
# Lengths in frames, about 6 s: with small prime factors, so that they are made fast, and no two alike.
_LENGTHS: Final = (
    233_280, 236_196, 240_000, 243_000, 245_760, 248_832, 250_000, 253_125, 256_000, 259_200,
    262_144, 262_440, 270_000, 273_375, 276_480, 279_936, 281_250, 288_000, 291_600, 294_912,
)  # fmt: skip
# A large odd number scatters seeds over the tables (Knuth's multiplicative hash).
_SCATTER: Final = 0x9E37_79B9_7F4A_7C15


def centres_hz() -> NDArray[np.float64]:
    """The bands' centres: every half octave from 31 Hz."""
    return _LOWEST_HZ * 2 ** (np.arange(BANDS) / 2)


def coherences() -> NDArray[np.float64]:
    """How far left and right correlate in each band."""
    diffuse = np.maximum(diffuse_coherence(centres_hz()), _LEAST_COHERENCE)
    return np.where(np.arange(BANDS) < _MONO_BANDS, 1.0, diffuse)


@cache
def _tables(audio: AudioFormat) -> tuple[NDArray[np.float32], ...]:
    """A table for each band, its beginning repeated after its end for one chunk.

    Tables have unit power; less where the sample rate cuts their band off.
    """
    draw = np.random.Generator(np.random.Philox(key=_SEED))
    given = zip(_LENGTHS, centres_hz(), coherences(), strict=True)
    return tuple(_table(length, centre, coherence, audio, draw) for length, centre, coherence in given)


def _table(
    length: int, centre_hz: float, coherence: float, audio: AudioFormat, draw: np.random.Generator
) -> NDArray[np.float32]:
    freq = np.fft.rfftfreq(length, 1 / audio.sample_rate_hz)
    octaves = np.log2(np.maximum(freq, 1.0) / centre_hz) * 2
    inside = np.flatnonzero((np.abs(octaves) < 1) & (freq < _HIGHEST * audio.sample_rate_hz))
    table = np.zeros(length + audio.frames_per_chunk, dtype=np.float32)
    if len(inside):
        shape = np.cos(np.pi / 2 * octaves[inside])
        gauss = draw.standard_normal((2, len(inside)))
        spectrum = np.zeros(len(freq), dtype=np.complex64)
        spectrum[inside] = shape * _shared(inside, coherence) * (gauss[0] + 1j * gauss[1])
        noise = np.fft.irfft(spectrum, length)
        whole = centre_hz * _COS_SQUARE_BAND * length / audio.sample_rate_hz
        table[:length] = noise * np.sqrt(min(1.0, np.sum(shape**2) / whole) / np.mean(noise**2))
        table[length:] = table[: audio.frames_per_chunk]
    return table


def _shared(index: NDArray[np.intp], coherence: float) -> NDArray[np.float64]:
    """Gains of even and odd frequencies that leave ``coherence`` between the two halves of a turn."""
    share = 0.0 if coherence == 1.0 else coherence
    return np.asarray(np.sqrt(1 + np.where(index % 2 == 0, share, -share)))


def bands(seed: int, start_frame: int, which: Sequence[int], grid: Grid) -> NDArray[np.float32]:
    """A chunk of the noise of bands ``which`` from ``start_frame`` on: ``[ear, block, band, frame]``.

    ``grid`` is the coarse one. Each band has unit power; left and right correlate by :func:`coherences`.
    """
    frames, block = grid.audio.frames_per_chunk, grid.block * grid.divisor
    noise = np.empty((AUDIO_CHANNELS, grid.blocks, len(which), block), dtype=np.float32)
    tables = _tables(grid.audio)
    for place, band in enumerate(which):
        table = tables[band]
        length = len(table) - frames
        at = (start_frame + (seed * BANDS + band + 1) * _SCATTER) % length
        noise[0, :, place] = table[at : at + frames].reshape(grid.blocks, block)
        other = at if band < _MONO_BANDS else (at + length // 2) % length
        noise[1, :, place] = table[other : other + frames].reshape(grid.blocks, block)
    return noise


def shape(gains: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Weigh and sum the bands.

    Args:
        gains: ``[layer, ear, band, border]``, linear, at the borders of the blocks.
        noise: :func:`bands` of the chunk.

    Returns:
        ``[layer, ear, frame]``.
    """
    layers, frames = gains.shape[0], noise.shape[-1]
    ends = torch.stack([gains[..., :-1], gains[..., 1:]])  # [end, layer, ear, band, block]
    weights = ends.permute(2, 4, 0, 1, 3).flatten(2, 3)
    start, end = (weights @ noise).reshape(*noise.shape[:2], 2, layers, frames).unbind(2)
    rising = torch.arange(frames, device=noise.device) / frames
    faded: torch.Tensor = start + (end - start) * rising
    return faded.permute(2, 0, 1, 3).flatten(2)
