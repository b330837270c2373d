"""Convolution with a long finite response, one chunk at a time (uniformly partitioned overlap-save).

The response is cut into partitions of one chunk. With ``X_a`` the spectrum of the chunks ``n - a - 1`` and
``n - a`` after another and ``H_p`` that of partition ``p``, filled with zeros to the same length, chunk ``n``
of the output is

    y_n = last chunk of irfft( sum_p X_p H_p )

(Stockham 1966; Gardner 1995). The output is thus a function of a finite past, and the spectra of the past can
be kept by whoever renders: nothing is handed from one call to the next.

High bands of a room die away within a second, so each partition keeps only the bins that carry energy: two
fifths of the products remain. A partition's hard ends smear its bass over all bins. Where the next partition
keeps a bin, its own start takes that back; where it does not, the bin is taken from a partition that fades
out instead (without this, the same error needs 70 % more bins). Two-level partitions (few long ones for the
tail) were rejected: what they save in products they cost in longer transforms, and those come in bursts.

Spectra are ``[ear, bin]`` with the ears side by side in memory, so that the first bins of both are one
contiguous run: on the CPU numpy multiplies such runs in two thirds of the time that torch takes for rows.
Transforms stay in torch, whose MKL is three times as fast as numpy's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat

# Frames in a transform: two chunks and, at 48 kHz, zeros; MKL takes four times as long for 9600 as for 9680.
_TRANSFORM: Final = {4410: 8820, 4800: 9680}
# What is left out of a response, against all of it. For the rooms this gives an error of -82 dB with pink
# noise and -76 dB with white: what a partition's cut ends ring beyond the transform is not taken back.
_DROPPED_DB: Final = -82.0
# Partitions end at multiples of this many bins: whole vectors.
_BIN_STEP: Final = 16
# The share of a chunk over which a partition fades into its neighbours while its bins are chosen.
_SKIRT: Final = 0.125


@dataclass(frozen=True)
class Partition:
    """One chunk's length of a response.

    ``delay`` is in chunks; ``spectrum`` is ``[ear, bin]``, complex64, up to the last audible bin.
    """

    delay: int
    spectrum: torch.Tensor

    @cached_property
    def flat(self) -> NDArray[np.complex64]:
        """``[bin and ear]``, the same memory; on the CPU only."""
        return _flat(self.spectrum)


@dataclass(frozen=True, slots=True)
class Response:
    """The audible partitions of a response by delay, and its length in chunks without its silent end."""

    partitions: tuple[Partition, ...]
    length: int

    def to(self, device: torch.device) -> "Response":
        """The same on ``device``."""
        moved = tuple(Partition(part.delay, part.spectrum.to(device)) for part in self.partitions)
        return Response(moved, self.length)


def response(impulse: NDArray[np.float64], audio: AudioFormat) -> Response:
    """The partitions of ``impulse`` (``[ear, frame]``, any length), without silent ones and silent bins."""
    every = _segments(impulse, audio)
    # An echo's partitions are mostly silent: nothing needs to be transformed there.
    sounding = np.flatnonzero(every.any(axis=(0, 2)))
    if not len(sounding):
        return Response((), 0)
    segments, bins = every[:, sounding], np.zeros(every.shape[1] + 1, dtype=np.int64)
    bins[sounding] = _audible_bins(segments, audio)
    spectra = _partition_spectra(segments, bins[sounding + 1], audio)
    partitions = tuple(
        Partition(int(p), _pack(spectra[:, i, : bins[p]])) for i, p in enumerate(sounding) if bins[p]
    )
    return Response(partitions, partitions[-1].delay + 1 if partitions else 0)


class Spectrum:
    """The spectrum of two chunks after another: ``bins`` are ``[..., ear, bin]``, complex64."""

    __slots__ = ("bins", "flat")

    def __init__(self, bins: torch.Tensor) -> None:
        self.bins = bins.transpose(-1, -2).contiguous().transpose(-1, -2)
        alone = bins.dim() == 2 and bins.device.type == "cpu"
        # ``[bin and ear]``, the same memory; nothing on an accelerator.
        self.flat = _flat(self.bins) if alone else np.zeros(0, dtype=np.complex64)

    def cut(self, bins: int) -> "Spectrum":
        """The lowest ``bins``, in memory of their own."""
        return self if self.bins.shape[-1] <= bins else Spectrum(self.bins[..., :bins].clone())


def _flat(bins: torch.Tensor) -> NDArray[np.complex64]:
    flat: NDArray[np.complex64] = bins.numpy().T.reshape(-1)
    return flat


def bins_up_to(highest_hz: float, audio: AudioFormat) -> int:
    """How many bins a response needs that ends at ``highest_hz``."""
    needed = math.ceil(highest_hz * _TRANSFORM[audio.frames_per_chunk] / audio.sample_rate_hz) + 1
    return -(-needed // _BIN_STEP) * _BIN_STEP


def spectrum(previous: torch.Tensor, current: torch.Tensor, bins: int | None = None) -> Spectrum:
    """The spectrum of two chunks after another.

    Args:
        previous: chunk ``n - 1``, float32, ``[..., ear, frame]``.
        current: chunk ``n``, the same shape.
        bins: how many are kept; all of them unless given.

    Returns:
        What :func:`convolve` wants as its history.
    """
    frames = current.shape[-1]
    silence = current.new_zeros(*current.shape[:-1], _TRANSFORM[frames] - 2 * frames)
    return Spectrum(torch.fft.rfft(torch.cat([silence, previous, current], dim=-1))[..., :bins])


def convolve(
    history: Sequence[Spectrum | None], response: Response, audio: AudioFormat
) -> torch.Tensor | None:
    """One chunk of the convolution; the left input meets the left response, the right the right.

    The bits depend on the spectra alone: the products are added by delay, and silence adds nothing.

    Args:
        history: :func:`spectrum` of each chunk and the one before, the newest last, None for exact silence;
            no more than ``response.length`` matter. An accelerator takes leading axes (channels) as well.
        response: on the device of the history.
        audio: the format of both.

    Returns:
        ``[ear, frame]``, float32, after the history's leading axes; None where all of it is silent.
    """
    newest = len(history) - 1
    terms = [
        (past, part)
        for part in response.partitions
        if part.delay <= newest and (past := history[newest - part.delay]) is not None
    ]
    if not terms:
        return None
    total = _sum_on_cpu(terms) if terms[0][0].flat.size else _sum_on_device(terms)
    output: torch.Tensor = torch.fft.irfft(total, n=_TRANSFORM[audio.frames_per_chunk])
    return output[..., -audio.frames_per_chunk :]


def _segments(impulse: NDArray[np.float64], audio: AudioFormat) -> NDArray[np.float64]:
    """``[ear, partition, frame]``: each partition with a skirt of its neighbours on both sides."""
    frames, skirt = audio.frames_per_chunk, _skirt_frames(audio)
    count = max(1, -(-impulse.shape[1] // frames))
    padded = np.pad(impulse, ((0, 0), (skirt, count * frames - impulse.shape[1] + skirt)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frames + 2 * skirt, axis=1)
    return windows[:, ::frames]


def _audible_bins(segments: NDArray[np.float64], audio: AudioFormat) -> NDArray[np.int64]:
    """How many bins each partition needs to lose no more than its share; never fewer than a later one."""
    rise = _rise(audio)
    window = np.concatenate([rise, np.ones(audio.frames_per_chunk), rise[::-1]])
    energy = _energy(np.fft.rfft(segments * window, n=_TRANSFORM[audio.frames_per_chunk]))
    allowed = energy.sum() * 10 ** (_DROPPED_DB / 10) / len(energy)
    above = energy[:, ::-1].cumsum(axis=1)[:, ::-1]
    needed = (above > allowed).sum(axis=1)
    whole = np.minimum(-(-needed // _BIN_STEP) * _BIN_STEP, energy.shape[1])
    return np.where(needed > 0, np.maximum.accumulate(whole[::-1])[::-1], 0)


def _partition_spectra(
    segments: NDArray[np.float64], bins_of_next: NDArray[np.int64], audio: AudioFormat
) -> NDArray[np.complex128]:
    """``[ear, partition, bin]``: a hard end in bins that the next partition has, a fade-out in others."""
    skirt = _skirt_frames(audio)
    body = segments[:, :, skirt : skirt + audio.frames_per_chunk]
    fade = np.concatenate([np.ones(audio.frames_per_chunk - skirt), _rise(audio)[::-1]])
    size = _TRANSFORM[audio.frames_per_chunk]
    hard, faded = np.fft.rfft(body, n=size), np.fft.rfft(body * fade, n=size)
    return np.where(np.arange(hard.shape[-1]) < bins_of_next[:, None], hard, faded)


def _energy(spectra: NDArray[np.complex128]) -> NDArray[np.float64]:
    energy: NDArray[np.float64] = (spectra.real**2 + spectra.imag**2).sum(axis=0)
    return energy


def _rise(audio: AudioFormat) -> NDArray[np.float64]:
    skirt = _skirt_frames(audio)
    rise: NDArray[np.float64] = np.sin(np.pi / 2 * (np.arange(skirt) + 0.5) / skirt) ** 2
    return rise


def _skirt_frames(audio: AudioFormat) -> int:
    return int(_SKIRT * audio.frames_per_chunk)


def _pack(part: NDArray[np.complex128]) -> torch.Tensor:
    """``[ear, bin]`` as complex64 with the ears side by side in memory."""
    return torch.from_numpy(np.ascontiguousarray(part.T.astype(np.complex64))).T


def _sum_on_cpu(terms: Sequence[tuple[Spectrum, Partition]]) -> torch.Tensor:
    # Later partitions have no more bins.
    total = np.zeros(len(terms[0][1].flat), dtype=np.complex64)
    product = np.empty_like(total)
    for past, part in terms:
        weights = part.flat
        size = len(weights)
        partial, head = product[:size], total[:size]
        np.multiply(past.flat[:size], weights, partial)
        np.add(head, partial, head)
    return torch.from_numpy(total.reshape(-1, AUDIO_CHANNELS)).T


def _sum_on_device(terms: Sequence[tuple[Spectrum, Partition]]) -> torch.Tensor:
    past, first = terms[0]
    total = past.bins.new_zeros(*past.bins.shape[:-1], first.spectrum.shape[-1])
    for past, part in terms:
        bins = part.spectrum.shape[-1]
        total[..., :bins].addcmul_(past.bins[..., :bins], part.spectrum)
    return total
