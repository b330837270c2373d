"""The partitioned convolution against scipy's in float64; it does not depend on earlier calls."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from auralis.audio import AudioFormat
from services.synth.dsp import arrays, convolution
from services.synth.dsp.arrays import CPU, Array
from services.synth.dsp.convolution import Past, Spectrum
from services.synth.memory import kept
from tests import by_torch
from tests.device import DEVICE, numpy_of, there

FORMATS = [AudioFormat(44_100), AudioFormat(48_000)]
ALL_BINS = 10_000
both_rates = pytest.mark.parametrize("audio", FORMATS, ids=lambda audio: audio.sample_rate_hz)


def decay(audio: AudioFormat, seconds: float, seed: int = 1) -> NDArray[np.float64]:
    """Noise whose highs die away faster, as in a room."""
    draw = np.random.default_rng(seed)
    frames = audio.frames(seconds)
    at_s = np.arange(frames) / audio.sample_rate_hz
    freq_hz = np.fft.rfftfreq(frames, 1 / audio.sample_rate_hz)
    out = np.zeros((2, frames))
    for low_hz, high_hz, t60_s in [(0, 500, 3.0), (500, 2000, 1.5), (2000, 30_000, 0.4)]:
        band = np.fft.rfft(draw.standard_normal((2, frames)))
        band[:, (freq_hz < low_hz) | (freq_hz >= high_hz)] = 0
        out += np.fft.irfft(band, frames) * 10 ** (-3 * at_s / t60_s)
    return out * np.minimum(1, (frames - np.arange(frames)) / (0.2 * audio.sample_rate_hz))


def response_to(impulse: NDArray[np.float64], audio: AudioFormat) -> convolution.Response:
    return convolution.response(impulse, audio).on(DEVICE)


def noise(audio: AudioFormat, chunks: int, seed: int = 2) -> Array:
    """``[chunk, ear, frame]``."""
    return there(np.random.default_rng(seed).standard_normal((chunks, 2, audio.frames_per_chunk)))


def spectra(chunks: Array) -> list[Spectrum]:
    """The spectra of each chunk and the one before; before the first there is silence."""
    before = [None, *chunks[:-1]]
    audio = next(each for each in FORMATS if each.frames_per_chunk == chunks.shape[-1])
    found = convolution.spectra(list(zip(before, chunks, strict=True)), ALL_BINS, audio)
    return [each for each in found if each is not None]


def convolve(
    history: list[Spectrum] | list[Spectrum | None], response: convolution.Response, audio: AudioFormat
) -> Array | None:
    return convolution.convolve([Past(history, response)], audio)[0]


def rendered(chunks: Array, response: convolution.Response, audio: AudioFormat) -> NDArray[np.float64]:
    """All chunks of the convolution, joined: ``[ear, frame]``."""
    past = spectra(chunks)
    out = [convolve(past[: n + 1], response, audio) for n in range(len(past))]
    silence = np.zeros((2, audio.frames_per_chunk))
    return joined([silence if chunk is None else chunk for chunk in out])


def joined(chunks: Iterable[Array]) -> NDArray[np.float64]:
    return np.concatenate([numpy_of(each) for each in chunks], axis=1).astype(float)


def error_db(found: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean((found - expected) ** 2) / np.mean(expected**2)))


@both_rates
def test_error_of_a_room_stays_80_db_under_the_sum(audio: AudioFormat) -> None:
    """White noise is the hardest input for the bins that are left out; each ear has its own response."""
    impulse, chunks = decay(audio, 1.93), noise(audio, 24)
    found = rendered(chunks, response_to(impulse, audio), audio)
    for ear, signal in enumerate(joined(chunks)):
        expected = fftconvolve(signal, impulse[ear])[: found.shape[1]]
        assert error_db(found[ear], expected) < -80


@both_rates
def test_error_of_single_echoes_stays_80_db_under_the_sum(audio: AudioFormat) -> None:
    """Sharp echoes right at, just before and far behind partition borders."""
    impulse = np.zeros((2, 14 * audio.frames_per_chunk + 1))
    frames = audio.frames_per_chunk
    for position in (0, frames - 1, 5 * frames, 9 * frames + 1234, 14 * frames):
        impulse[:, position] = 1.0
    chunks = noise(audio, 17)
    response = response_to(impulse, audio)
    found = rendered(chunks, response, audio)
    expected = np.stack(
        [fftconvolve(x, h)[: found.shape[1]] for x, h in zip(joined(chunks), impulse, strict=True)]
    )
    assert error_db(found, expected) < -80


def test_silent_partitions_and_bins_are_left_out() -> None:
    """Two short dark echoes a second apart are two partitions of less than half of the bins."""
    audio = FORMATS[0]
    impulse = np.zeros((2, 12 * 4410))
    for start in (1500, 10 * 4410 + 1500):
        impulse[:, start : start + 1000] = np.hanning(1000) * np.cos(np.arange(1000) * 0.2)
    response = response_to(impulse, audio)
    assert [part.delay for part in response.partitions] == [0, 10]
    assert response.length == 11
    assert all(part.spectrum.shape[1] < 2205 for part in response.partitions)


@both_rates
def test_a_room_needs_less_than_half_of_its_bins(audio: AudioFormat) -> None:
    """Highs that die away are not multiplied."""
    response = response_to(decay(audio, 3.0), audio)
    bins = [part.spectrum.shape[1] for part in response.partitions]
    assert sum(bins) < 0.5 * len(bins) * audio.frames_per_chunk
    assert bins == sorted(bins, reverse=True)


def test_silence_is_exactly_silent() -> None:
    """Without any input there is exact silence, not a transform's rounding errors."""
    audio = FORMATS[0]
    response = response_to(decay(audio, 0.5), audio)
    assert convolve([None] * response.length, response, audio) is None
    assert convolve([], response, audio) is None


def test_an_empty_response_is_silent() -> None:
    """An impulse of zeros has no partitions, no length and no output."""
    audio = FORMATS[0]
    response = response_to(np.zeros((2, 9000)), audio)
    assert (response.partitions, response.length) == ((), 0)
    assert convolve(spectra(noise(audio, 2)), response, audio) is None


def test_known_silence_changes_no_bit() -> None:
    """A past with None gives the same bits as a past with zeros."""
    audio = FORMATS[0]
    response = response_to(decay(audio, 1.0), audio)
    past = spectra(noise(audio, response.length))
    zero = Spectrum(past[0].bins * 0)
    named, zeros = (
        convolve([each if n % 3 == 0 else one for n, one in enumerate(past)], response, audio)
        for each in (None, zero)
    )
    assert np.array_equal(numpy_of(named), numpy_of(zeros))


def test_what_was_convolved_in_between_changes_no_bit() -> None:
    """Nothing is passed from call to call; spectra older than the response do not matter."""
    audio = FORMATS[0]
    response = response_to(decay(audio, 1.0), audio)
    past = spectra(noise(audio, response.length))
    first = convolve(past, response, audio)
    convolve(past[::-1], response, audio)
    again = convolve([*past[::-1], *past], response, audio)
    assert np.array_equal(numpy_of(first), numpy_of(again))


def test_bits_do_not_depend_on_where_the_spectra_lie() -> None:
    """Copies at other addresses give the same bits."""
    audio = FORMATS[0]
    response = response_to(decay(audio, 1.0), audio)
    past = spectra(noise(audio, response.length))
    first = convolve(past, response, audio)
    for offset in (1, 3, 5):
        moved = convolve([shifted(each, offset) for each in past], response, audio)
        assert np.array_equal(numpy_of(first), numpy_of(moved))


def shifted(spectrum: Spectrum, offset: int) -> Spectrum:
    """The same values, ``offset`` elements into a larger piece of memory."""
    moved = Spectrum(spectrum.bins)
    memory = np.zeros(len(spectrum.flat) + offset, dtype=np.complex64)
    memory[offset:] = spectrum.flat
    moved.flat = memory[offset:]
    return moved


def test_bits_of_a_spectrum_do_not_depend_on_where_the_chunks_lie() -> None:
    """Chunks that are slices of a longer tape give the same bits as chunks of their own."""
    audio = FORMATS[0]
    tape = arrays.joined(list(noise(audio, 3)), axis=1)
    pair = tape[:, 7:4417], tape[:, 4417:8827]
    pairs = [pair, (kept(pair[0]), kept(pair[1]))]
    first, second = convolution.spectra(pairs, ALL_BINS, audio)
    assert first is not None
    assert second is not None
    assert np.array_equal(numpy_of(first.bins), numpy_of(second.bins))


@both_rates
def test_bits_of_a_spectrum_do_not_depend_on_what_else_is_asked_for(audio: AudioFormat) -> None:
    """One ear or two, alone or among forty, next to silence: MKL transforms a single row differently."""
    chunks = noise(audio, 40)
    pairs = [(None, one) if n % 3 else (one[:1], None) for n, one in enumerate(chunks)]
    asked = [pair for one in pairs for pair in (one, (None, None))]
    together = convolution.spectra(asked, 2000, audio)
    for pair, found, silence in zip(pairs, together[::2], together[1::2], strict=True):
        (alone,) = convolution.spectra([pair], 2000, audio)
        assert alone is not None
        assert found is not None
        assert np.array_equal(numpy_of(alone.bins), numpy_of(found.bins))
        assert silence is None


def test_one_ear_is_heard_by_both() -> None:
    audio = FORMATS[0]
    (mono,) = noise(audio, 1)[:, :1]
    both = arrays.joined([mono, mono])
    response = response_to(decay(audio, 0.2), audio)
    chunks = [
        convolve(convolution.spectra([pair], ALL_BINS, audio), response, audio)
        for pair in ((mono, mono), (both, both))
    ]
    one, two = map(numpy_of, chunks)
    assert one.shape == two.shape == (2, 4410)
    assert np.allclose(one, two, rtol=0, atol=1e-5)


@both_rates
def test_bits_of_a_chunk_do_not_depend_on_what_else_is_convolved(audio: AudioFormat) -> None:
    """Several responses at once, and silence in between."""
    responses = [response_to(decay(audio, seconds), audio) for seconds in (0.3, 0.8)]
    past = spectra(noise(audio, 20))
    pasts = [Past(past[:n], responses[n % 2]) for n in range(1, 20)]
    asked = [past for one in pasts for past in (one, Past([None], responses[0]))]
    together = convolution.convolve(asked, audio)
    for past, found, silence in zip(pasts, together[::2], together[1::2], strict=True):
        (alone,) = convolution.convolve([past], audio)
        assert np.array_equal(numpy_of(alone), numpy_of(found))
        assert silence is None


@both_rates
@pytest.mark.parametrize("ears", [(2,), (1,), (2, 1)])
def test_products_of_an_accelerator_agree_with_the_cpu(audio: AudioFormat, ears: tuple[int, ...]) -> None:
    """They differ only by rounding; with one ear, with two, with silence in between."""
    response = convolution.response(decay(audio, 1.0), audio)
    torchs = by_torch.DEVICE if arrays.by_numpy(DEVICE) else DEVICE
    bins = [numpy_of(each.bins) for each in spectra(noise(audio, response.length))]
    heard = [each[: ears[n % len(ears)]] if n % 5 else None for n, each in enumerate(bins)]
    here, away = ([None if h is None else Spectrum(arrays.on(on, h)) for h in heard] for on in (CPU, torchs))
    expected = np.zeros((2, ALL_BINS), np.complex64)
    found = arrays.on(torchs, expected.copy())
    convolution._add_one_by_one(response, Past(here, response).heard, expected)
    convolution._add_at_once(response.on(torchs), Past(away, response).heard, found)
    assert isinstance(found, torch.Tensor)
    assert np.allclose(numpy_of(found), expected, rtol=0, atol=1e-6 * np.abs(expected).max())
