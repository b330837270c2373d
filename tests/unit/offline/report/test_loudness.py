"""Loudness checked against pyloudnorm and against what the standards say about sine waves."""

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.offline.report.loudness import LoudnessMeter


def measured(samples: NDArray[np.float64], audio: AudioFormat) -> LoudnessMeter:
    """A meter that has been given all of ``samples`` (``[frame, ear]``, ±1), chunk by chunk."""
    pcm = np.round(samples * 32767).astype("<i2").tobytes()
    meter = LoudnessMeter(audio)
    for at in range(0, len(pcm), audio.bytes_per_chunk):
        meter.add(pcm[at : at + audio.bytes_per_chunk])
    return meter


def sine(audio: AudioFormat, seconds: float, peak_db: float) -> NDArray[np.float64]:
    at = np.arange(audio.frames(seconds)) / audio.sample_rate_hz
    return np.repeat(10 ** (peak_db / 20) * np.sin(2 * np.pi * 1000 * at)[:, None], 2, axis=1)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_sine_in_both_ears_is_as_loud_as_its_peak(rate_hz: int) -> None:
    """EBU Tech 3341, cases 1 and 2: 1 kHz at -23 dBFS is -23 LUFS."""
    meter = measured(sine(AudioFormat(rate_hz), 20, -23), AudioFormat(rate_hz))
    assert meter.integrated_lufs == pytest.approx(-23, abs=0.1)
    assert meter.short_term_lufs == pytest.approx(-23, abs=0.1)
    assert meter.peak_dbfs == pytest.approx(-23, abs=0.01)
    assert meter.range_lu == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_pauses_and_noise_are_gated_as_pyloudnorm_does(rate_hz: int) -> None:
    audio, chance = AudioFormat(rate_hz), np.random.default_rng(1)
    levels = np.repeat([0.1, 0.0, 0.003, 0.2], audio.frames(4))[:, None]
    samples = levels * chance.normal(0, 0.3, (levels.size, 2))
    expected = pyloudnorm.Meter(rate_hz).integrated_loudness(samples)
    assert measured(samples, audio).integrated_lufs == pytest.approx(expected, abs=0.05)


def test_the_range_is_that_of_two_levels() -> None:
    """EBU Tech 3342, case 1: 20 s each at -20 and -30 LUFS are 10 LU."""
    audio = AudioFormat(48_000)
    samples = np.concatenate([sine(audio, 20, -20), sine(audio, 20, -30)])
    assert measured(samples, audio).range_lu == pytest.approx(10, abs=1)


def test_silence_has_no_loudness() -> None:
    audio = AudioFormat()
    meter = measured(np.zeros((audio.frames(5), 2)), audio)
    assert meter.integrated_lufs == -np.inf
    assert meter.range_lu == 0


def test_less_than_a_block_has_none_either() -> None:
    assert measured(np.ones((4410, 2)), AudioFormat()).integrated_lufs == -np.inf
