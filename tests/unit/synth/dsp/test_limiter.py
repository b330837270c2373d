"""The limiter against a float64 oracle over the whole signal, and its audible properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage, signal

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import limiter
from services.synth.dsp.limiter import BLOCK_FRAMES, CEILING, HISTORY_CHUNKS, LOOKAHEAD_FRAMES

Samples = NDArray[np.float32]
FORMATS = [AudioFormat(rate) for rate in SAMPLE_RATES_HZ]


def stream(samples: Samples, audio: AudioFormat) -> Samples:
    """The output chunk by chunk, each from itself and the three chunks before it; silence comes first."""
    frames = audio.frames_per_chunk
    padded = np.pad(samples, ((0, 0), (HISTORY_CHUNKS * frames, -samples.shape[1] % frames)))
    chunks = [limiter.mix_of(chunk) for chunk in np.split(padded, padded.shape[1] // frames, axis=1)]
    last = range(HISTORY_CHUNKS, len(chunks))
    return np.concatenate([limiter.limit(chunks[n - HISTORY_CHUNKS : n + 1], audio) for n in last], axis=1)


def oracle(samples: Samples, audio: AudioFormat) -> NDArray[np.float64]:
    """The limiter's law over the whole signal at once, in float64, with scipy's filters.

    Peaks between frames come from a plain loop over frames, the release from a loop over its age.
    """
    x = np.pad(samples.astype(np.float64), ((0, 0), (LOOKAHEAD_FRAMES, LOOKAHEAD_FRAMES)))
    between = np.abs(x)
    for place in (0.25, 0.5, 0.75):
        away = np.arange(-3, 5) - place
        taps = np.sinc(away) * np.i0(np.sqrt(1 - (away / 4) ** 2))
        value = ndimage.correlate1d(x, taps / taps.sum(), axis=1, mode="constant", origin=-1)
        between = np.maximum(between, np.abs(value))
    peaks = between.max(axis=0).reshape(-1, BLOCK_FRAMES).max(axis=1)
    needed = np.maximum(1 - CEILING / np.maximum(peaks, 1e-9), 0)
    count = audio.frames_per_chunk * 5 // 2 // BLOCK_FRAMES
    released = needed.copy()
    for age in range(1, min(count, needed.size)):
        weight = 0.5 + 0.5 * np.cos(np.pi * age / count)
        released[age:] = np.maximum(released[age:], needed[:-age] * weight)
    held = ndimage.maximum_filter1d(released, 18, origin=-9, mode="constant")
    hann = np.sin(np.pi * np.arange(1, 18) / 18) ** 2
    at_border = np.concatenate([[0.0], np.convolve(held, hann / hann.sum())[: held.size]])
    frame = (np.arange(x.shape[1]) + 0.5) / BLOCK_FRAMES
    gain = 1 - np.interp(frame, np.arange(at_border.size), at_border)
    return (x * gain)[:, : samples.shape[1]]


def bursts(seed: int, frames: int, count: int, loudest: float) -> Samples:
    """Noise at -32 dBFS with ``count`` bursts of up to ``loudest``, 1 to 3000 frames long."""
    rng = np.random.default_rng(seed)
    samples = 0.025 * rng.standard_normal((2, frames))
    for _ in range(count):
        start, length = rng.integers(0, frames), int(10 ** rng.uniform(0, 3.5))
        samples[rng.integers(0, 2), start : start + length] *= rng.uniform(10, loudest / 0.025)
    return samples.astype(np.float32)


def noise(rate_hz: int, seconds: float) -> NDArray[np.float64]:
    """White up to 0.45 of the rate, at -12 dBFS RMS: hardly a peak falls on a sample."""
    white = 0.25 * np.random.default_rng(5).standard_normal((2, int(rate_hz * seconds)))
    return signal.lfilter(signal.firwin(511, 0.9, window=("kaiser", 8.0)), 1, white, axis=1)


def music(rate_hz: int, seconds: float) -> NDArray[np.float64]:
    """Forty swelling partials from 55 Hz to 3.5 kHz with their own phase in each ear, peaking at -1 dBFS."""
    rng = np.random.default_rng(6)
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    mix = np.zeros((2, t.size))
    for _ in range(40):
        freq_hz = 55 * 2 ** (rng.integers(0, 72) / 12)
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 3) * t)
        phases = rng.uniform(0, 2 * np.pi, (2, 1))
        mix += swell * np.sin(2 * np.pi * freq_hz * t + phases) / freq_hz**0.5
    return mix * (0.89 / np.abs(mix).max())


def true_peak_db(samples: Samples) -> float:
    """The true peak by fourfold oversampling with scipy's polyphase filter and 64 frames of sinc."""
    sinc = signal.firwin(8 * 32 + 1, 1 / 4, window=("kaiser", 8.0))
    dense = signal.resample_poly(samples.astype(np.float64), 4, 1, axis=1, window=sinc)
    return float(20 * np.log10(np.abs(dense).max()))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    chunks=st.integers(1, 9),
    count=st.integers(0, 40),
    loudest=st.sampled_from([0.5, 1.0, 2.0, 8.0]),
    audio=st.sampled_from(FORMATS),
)
def test_chunks_add_up_to_the_whole_signal(
    seed: int, chunks: int, count: int, loudest: float, audio: AudioFormat
) -> None:
    """Three chunks of past give what the law gives over the whole signal, to float32's last bits."""
    samples = bursts(seed, chunks * audio.frames_per_chunk, count, loudest)
    expected = oracle(samples, audio)
    np.testing.assert_allclose(stream(samples, audio), expected, rtol=1e-6, atol=1e-9)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    blocks=st.integers(1, 400),
    audio=st.sampled_from(FORMATS),
)
def test_chunk_borders_leave_no_trace(seed: int, count: int, blocks: int, audio: AudioFormat) -> None:
    """With chunks that begin any number of blocks later, the same frames come out, bit for bit."""
    samples = bursts(seed, 6 * audio.frames_per_chunk, count, 4.0)
    shift = blocks * BLOCK_FRAMES
    later = stream(np.pad(samples, ((0, 0), (shift, 0))), audio)[:, shift : shift + samples.shape[1]]
    assert np.array_equal(later, stream(samples, audio))


@pytest.mark.parametrize("audio", FORMATS, ids=str)
@pytest.mark.parametrize("signal_of", [noise, music])
def test_driven_by_12_db_the_true_peak_stays_under_minus_1(signal_of: object, audio: AudioFormat) -> None:
    """Even noise, whose peaks lie between its samples, stays under -1 dBTP, and the ceiling is used fully."""
    assert callable(signal_of)
    limited = stream((4 * signal_of(audio.sample_rate_hz, 5)).astype(np.float32), audio)
    assert -2 < true_peak_db(limited) <= -1
    assert np.abs(limited).max() <= CEILING * (1 + 1e-6)


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_quiet_music_passes_unchanged(audio: AudioFormat) -> None:
    """Under the ceiling the output is the input, delayed by the look-ahead."""
    samples = (0.9 * music(audio.sample_rate_hz, 2)).astype(np.float32)
    expected = np.pad(samples, ((0, 0), (LOOKAHEAD_FRAMES, 0)))[:, : samples.shape[1]]
    assert np.array_equal(stream(samples, audio), expected)


def test_the_look_ahead_is_about_6_ms() -> None:
    """At both sample rates the output is 5.5 to 6.5 ms late."""
    assert all(5.5e-3 < audio.seconds(LOOKAHEAD_FRAMES) < 6.5e-3 for audio in FORMATS)


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_the_gain_moves_smoothly_and_comes_back(audio: AudioFormat) -> None:
    """Around a click 12 dB over full scale it falls for 6 ms and rises for 250 ms, in steps under 0.12 dB."""
    frames, click = 6 * audio.frames_per_chunk, 2 * audio.frames_per_chunk + 7
    samples = np.full((2, frames), 0.01, np.float32)
    samples[:, click] = 4.0
    gain = np.delete(stream(samples, audio)[0] / np.float32(0.01), click + LOOKAHEAD_FRAMES).astype(
        np.float64
    )
    gain = gain[LOOKAHEAD_FRAMES:]
    touched = np.flatnonzero(gain < 1) - click
    assert np.abs(np.diff(20 * np.log10(gain))).max() < 0.12
    assert -LOOKAHEAD_FRAMES <= touched[0] < 0
    assert 0.24 < audio.seconds(int(touched[-1])) < 0.27
    assert np.all(np.diff(gain[click + LOOKAHEAD_FRAMES :]) >= -1e-7)


def test_both_ears_share_one_gain() -> None:
    """A peak on the left lowers the right equally: the stereo image stays where it is."""
    audio = FORMATS[0]
    samples = np.full((2, 4 * audio.frames_per_chunk), 0.1, np.float32)
    samples[0, 8000:8010] = 3.0
    left, right = stream(samples, audio)
    same = np.abs(left) < 0.1001
    assert right.min() < 0.05
    assert np.array_equal(left[same], right[same])
