"""Convolution with a long finite response, one chunk at a time (uniformly partitioned overlap-save).

The response is cut into partitions of one chunk. With ``X_a`` the spectrum of the chunks ``n - a - 1`` and
``n - a`` concatenated and ``H_p`` the spectrum of partition ``p``, both padded with zeros to the same length,
chunk ``n`` of the output is

    y_n = last chunk of irfft( sum_p X_p H_p )

(Stockham 1966; Gardner 1995). The output is thus a function of a finite past, and the caller keeps the
spectra of that past: no state is handed from one call to the next.

High bands of a room die away within a second, so each partition keeps only the bins that carry energy: a
third of the products remain. A partition's hard ends smear its bass over all bins. Where the next partition
keeps a bin, its own start cancels this; where it does not, the bin is taken from a copy of the partition that
fades out (without this, the same error needs 70 % more bins). Two-level partitioning (a few long partitions
for the tail) was rejected: what it saves in products it costs in longer transforms, which come in bursts.

Spectra are ``[ear, bin]`` with the ears interleaved in memory, so that the first bins of both are one
contiguous run: on the CPU numpy multiplies such runs in two thirds of the time that torch takes for rows.
A mono past is kept once and multiplied by the response's ears one after the other.
On an accelerator, where starting an operation costs more than a partition does, all products are one
operation, and a sparse sum (a bag of embeddings) adds them up in the order of the partitions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp import arrays, transforms
from services.synth.dsp.arrays import Array, Device, Float64Array
from services.synth.dsp.sums import Sums
from services.synth.memory import kept_across

# Frames in a transform: two chunks and zeros. pocketfft takes 1.25 times as long for 8820 as for 9000; at
# 48 kHz a cut partition rings beyond 9600.
_TRANSFORM: Final = {4410: 9000, 4800: 9720}
# The energy left out of a response, relative to all of it. For the rooms this gives an error of -82 dB with
# pink noise and -76 dB with white: the ringing of cut partitions beyond the transform is not cancelled.
_DROPPED_DB: Final = -82.0
# The bins of a partition are rounded up to a multiple of this: whole vectors.
_BIN_STEP: Final = 16
# Transforms in one call share its start-up cost; more than this many do not fit the processor's cache.
_AT_ONCE: Final = 16
# The share of a chunk over which a partition fades into its neighbours while its bins are chosen.
_SKIRT: Final = 0.125


Pair = tuple[Array | None, Array | None]


@dataclass(frozen=True)
class Partition:
    """One chunk's length of a response.

    ``delay`` is in chunks; ``spectrum`` is ``[ear, bin]``, complex64, up to the last audible bin.
    """

    delay: int
    spectrum: Array

    @cached_property
    def flat(self) -> NDArray[np.complex64]:
        """``[bin and ear]``, the same memory; for numpy only."""
        flat: NDArray[np.complex64] = self.spectrum.T.reshape(-1)
        return flat

    @cached_property
    def by_ear(self) -> NDArray[np.complex64]:
        """``[ear, bin]``, one ear after the other in memory; for numpy only."""
        return np.ascontiguousarray(self.spectrum)


class _Products(NamedTuple):
    """The products of all partitions, concatenated, on an accelerator.

    ``bins`` are the products of each partition, ``weights`` (``[product, ear]``) the response's factors, and
    ``sums`` how the products add up to bins.
    """

    bins: Sequence[int]
    weights: Array
    sums: Sums


@dataclass(frozen=True)
class Response:
    """The audible partitions of a response by delay, and its length in chunks up to the last of them."""

    partitions: tuple[Partition, ...]
    length: int

    @cached_property
    def products(self) -> _Products:
        """All of its products; for an accelerator only."""
        weights = arrays.joined([part.spectrum.T for part in self.partitions])
        sizes = [part.spectrum.shape[-1] for part in self.partitions]
        bins = np.concatenate([np.arange(size) for size in sizes])
        sources = np.argsort(bins, kind="stable").astype(np.int32)
        starts = np.cumsum([0, *np.bincount(bins)]).astype(np.int32)
        plain = np.ones(len(bins), np.float32)
        return _Products(sizes, weights, Sums(sources, starts, plain, len(bins), arrays.home_of(weights)))

    def on(self, device: Device) -> "Response":
        """The same response on ``device``."""
        moved = tuple(Partition(part.delay, arrays.on(device, part.spectrum)) for part in self.partitions)
        return Response(moved, self.length)


def response(impulse: Float64Array, audio: AudioFormat) -> Response:
    """The partitions of ``impulse`` (``[ear, frame]``, any length) without silent partitions and bins."""
    every = _segments(impulse, audio)
    # An echo's partitions are mostly silent: nothing needs to be transformed there.
    sounding = np.flatnonzero(every.any(axis=(0, 2)))
    if not len(sounding):
        return Response((), 0)
    bins = np.zeros(every.shape[1] + 1, dtype=np.int64)
    bins[sounding] = _audible_bins(every, sounding, audio)
    # One by one: all of a large room at once would take a hundred megabytes for a moment.
    partitions = tuple(
        Partition(int(p), _pack(_partition_spectrum(every[:, p], bins[p + 1], audio)[:, : bins[p]]))
        for p in sounding
        if bins[p]
    )
    return Response(partitions, partitions[-1].delay + 1 if partitions else 0)


class Spectrum:
    """The spectrum of two chunks concatenated: ``bins`` are ``[ear, bin]``, complex64, one ear or two.

    ``rows`` are the same memory as it lies: ``[bin, ear]``.
    """

    __slots__ = ("bins", "flat", "mono", "rows")

    def __init__(self, bins: Array) -> None:
        self.mono = len(bins) == 1  # both ears hear the same
        self.rows = kept_across(bins)
        self.bins = self.rows.T
        # ``[bin and ear]``, the same memory; for numpy only.
        self.flat: Array = self.rows.reshape(-1) if arrays.is_numpys(bins) else None

    def heard_by(self, ears: int) -> Array:
        """``[bin, ear]`` for ``ears``; a mono spectrum is expanded to two."""
        return self.rows.expand(-1, ears) if self.mono and ears > 1 else self.rows

    def cut(self, bins: int) -> "Spectrum":
        """The lowest ``bins``, in memory of their own."""
        return self if self.bins.shape[-1] <= bins else Spectrum(self.bins[:, :bins])


class Past(NamedTuple):
    """The input of one output chunk of a convolution.

    ``history`` has the :func:`spectra` of each chunk and the one before, the newest last, None for exact
    silence; only the last ``response.length`` matter. The response is on the device of the history.
    """

    history: Sequence[Spectrum | None]
    response: Response

    @property
    def heard(self) -> "_Heard":
        """The spectrum that each partition of the response is multiplied by; None is silence."""
        newest = len(self.history) - 1
        return [
            self.history[newest - part.delay] if part.delay <= newest else None
            for part in self.response.partitions
        ]


_Heard = Sequence[Spectrum | None]


def bins_up_to(highest_hz: float, audio: AudioFormat) -> int:
    """How many bins a response that ends at ``highest_hz`` needs."""
    needed = math.ceil(highest_hz * _TRANSFORM[audio.frames_per_chunk] / audio.sample_rate_hz) + 1
    return -(-needed // _BIN_STEP) * _BIN_STEP


def spectra(pairs: Sequence[Pair], bins: int, audio: AudioFormat) -> list[Spectrum | None]:
    """The spectra of pairs of consecutive chunks; the bits of each do not depend on the other pairs.

    Args:
        pairs: chunk ``n - 1`` and chunk ``n``, float32, ``[ear, frame]``; one ear stands for both. None is
            exact silence.
        bins: how many are kept.
        audio: the format of all.

    Returns:
        Entries for the history that :func:`convolve` takes; None for silence.
    """
    found: list[Spectrum | None] = [None] * len(pairs)
    sounding = [place for place, pair in enumerate(pairs) if any(chunk is not None for chunk in pair)]
    for first in range(0, len(sounding), _AT_ONCE):
        some = sounding[first : first + _AT_ONCE]
        for place, every in zip(some, _transformed([pairs[i] for i in some], audio), strict=True):
            found[place] = Spectrum(every[:, :bins])
    return found


def _transformed(pairs: Sequence[Pair], audio: AudioFormat) -> Sequence[Array]:
    """The spectrum of each pair: ``[ear, bin]``."""
    frames, size = audio.frames_per_chunk, _TRANSFORM[audio.frames_per_chunk]
    sounding = [[chunk for chunk in pair if chunk is not None] for pair in pairs]
    rows = [max(map(len, chunks)) for chunks in sounding]
    samples = arrays.zeros((sum(rows), size), sounding[0][0])
    ends = list(accumulate(rows, initial=0))
    places = list(map(slice, ends[:-1], ends[1:]))
    for place, (before, now) in zip(places, pairs, strict=True):
        if before is not None:
            samples[place, size - 2 * frames : size - frames] = before
        if now is not None:
            samples[place, size - frames :] = now
    found = transforms.forward(samples)
    return [found[place] for place in places]


def convolve(pasts: Sequence[Past], audio: AudioFormat) -> list[Array | None]:
    """One output chunk of each convolution: left input with left response, right with right.

    The bits of each depend on its past alone: products are added in order of delay, and silence adds nothing.

    Returns:
        ``[ear, frame]`` each, float32; None where all of it is silent.
    """
    found: list[Array | None] = [None] * len(pasts)
    every = [(place, past.response, past.heard) for place, past in enumerate(pasts)]
    sounding = [each for each in every if any(spectrum is not None for spectrum in each[2])]
    for first in range(0, len(sounding), _AT_ONCE):
        places, responses, heard = zip(*sounding[first : first + _AT_ONCE], strict=True)
        for place, chunk in zip(places, _summed(responses, heard, audio), strict=True):
            found[place] = chunk
    return found


def _summed(responses: Sequence[Response], every: Sequence[_Heard], audio: AudioFormat) -> Array:
    """``[convolution, ear, frame]``."""
    size, weights = _TRANSFORM[audio.frames_per_chunk], responses[0].partitions[0].spectrum
    totals = arrays.zeros((len(every), AUDIO_CHANNELS, size // 2 + 1), weights)
    add = _add_one_by_one if arrays.is_numpys(weights) else _add_at_once
    for response, heard, total in zip(responses, every, totals, strict=True):
        add(response, heard, total)
    return transforms.inverse(totals, size)[..., -audio.frames_per_chunk :]


def _segments(impulse: Float64Array, audio: AudioFormat) -> Float64Array:
    """``[ear, partition, frame]``: each partition with a skirt from its neighbours on either side."""
    frames, skirt = audio.frames_per_chunk, _skirt_frames(audio)
    count = max(1, -(-impulse.shape[1] // frames))
    padded = np.pad(impulse, ((0, 0), (skirt, count * frames - impulse.shape[1] + skirt)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frames + 2 * skirt, axis=1)
    return windows[:, ::frames]


def _audible_bins(every: Float64Array, sounding: NDArray[np.intp], audio: AudioFormat) -> NDArray[np.int64]:
    """How many bins each partition needs to lose no more than its share; later partitions never need more."""
    rise = _rise(audio)
    window = np.concatenate([rise, np.ones(audio.frames_per_chunk), rise[::-1]])
    size = _TRANSFORM[audio.frames_per_chunk]
    energy = np.stack([_energy(np.fft.rfft(every[:, p] * window, n=size)) for p in sounding])
    allowed = energy.sum() * 10 ** (_DROPPED_DB / 10) / len(energy)
    above = energy[:, ::-1].cumsum(axis=1)[:, ::-1]
    needed = (above > allowed).sum(axis=1)
    whole = np.minimum(-(-needed // _BIN_STEP) * _BIN_STEP, energy.shape[1])
    return np.where(needed > 0, np.maximum.accumulate(whole[::-1])[::-1], 0)


def _partition_spectrum(
    segment: Float64Array, bins_of_next: int, audio: AudioFormat
) -> NDArray[np.complex128]:
    """``[ear, bin]``: cut hard in the bins that the next partition keeps, faded out in the others."""
    skirt = _skirt_frames(audio)
    body = segment[:, skirt : skirt + audio.frames_per_chunk]
    fade = np.concatenate([np.ones(audio.frames_per_chunk - skirt), _rise(audio)[::-1]])
    size = _TRANSFORM[audio.frames_per_chunk]
    hard, faded = np.fft.rfft(body, n=size), np.fft.rfft(body * fade, n=size)
    return np.where(np.arange(hard.shape[-1]) < bins_of_next, hard, faded)


def _energy(spectrum: NDArray[np.complex128]) -> Float64Array:
    """The energy of both ears together: ``[bin]``."""
    energy: Float64Array = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    return energy


def _rise(audio: AudioFormat) -> Float64Array:
    skirt = _skirt_frames(audio)
    rise: Float64Array = np.sin(np.pi / 2 * (np.arange(skirt) + 0.5) / skirt) ** 2
    return rise


def _skirt_frames(audio: AudioFormat) -> int:
    return int(_SKIRT * audio.frames_per_chunk)


def _pack(part: NDArray[np.complex128]) -> NDArray[np.complex64]:
    """``[ear, bin]`` as complex64 with the ears interleaved in memory."""
    return np.ascontiguousarray(part.T.astype(np.complex64)).T


def _add_one_by_one(response: Response, heard: _Heard, total: NDArray[np.complex64]) -> None:
    both = zip(heard, response.partitions, strict=True)
    terms = [(past, part) for past, part in both if past is not None]
    pairs = [term for term in terms if not term[0].mono]
    if pairs:
        flat = np.zeros(len(pairs[0][1].flat), dtype=np.complex64)
        _accumulate([(past.flat, part.flat) for past, part in pairs], flat)
        ears = flat.reshape(-1, AUDIO_CHANNELS)
        total[:, : len(ears)] = ears.T
    _accumulate([(past.flat, part.by_ear) for past, part in terms if past.mono], total)


def _accumulate(
    products: Sequence[tuple[NDArray[np.complex64], NDArray[np.complex64]]], into: NDArray[np.complex64]
) -> None:
    """Add each product of a past and weights (``[..., bin]``) to the first bins of ``into``."""
    product = np.empty_like(into)
    for past, weights in products:
        size = weights.shape[-1]
        partial, head = product[..., :size], into[..., :size]
        np.multiply(past[:size], weights, partial)
        np.add(head, partial, head)


def _add_at_once(response: Response, heard: _Heard, total: Array) -> None:
    bins, weights, sums = response.products
    ears = 1 if all(each is None or each.mono for each in heard) else AUDIO_CHANNELS
    silence = arrays.zeros((total.shape[1], ears), total)
    rows = [silence if each is None else each.heard_by(ears) for each in heard]
    some = [each[:size] for each, size in zip(rows, bins, strict=True)]
    found = arrays.of_parts(sums.of(arrays.in_parts(arrays.joined(some) * weights)))
    total[:, : len(found)] = found.T
