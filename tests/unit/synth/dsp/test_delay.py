"""The ping-pong delay's taps: their times, levels, sides and colours."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import convolution, delay

FORMATS = [AudioFormat(44_100), AudioFormat(48_000)]
both_rates = pytest.mark.parametrize("audio", FORMATS, ids=lambda audio: audio.sample_rate_hz)
BEAT_S = 0.5  # 120 bpm: all seven taps fit
DIVISION = 0.75


def taps(audio: AudioFormat) -> list[NDArray[np.float64]]:
    """Each tap by itself, from half a spacing before it to half a spacing after."""
    spacing = audio.frames(BEAT_S * DIVISION)
    impulse = np.pad(delay.impulse(BEAT_S, DIVISION, audio), ((0, 0), (0, spacing)))
    return [impulse[:, round((tap - 0.5) * spacing) : round((tap + 0.5) * spacing)] for tap in range(1, 8)]


def middle_hz(tap: NDArray[np.float64], audio: AudioFormat) -> float:
    """The frequency that halves the energy."""
    power = (np.abs(np.fft.rfft(tap)) ** 2).sum(axis=0).cumsum()
    return float(np.searchsorted(power, power[-1] / 2) * audio.sample_rate_hz / tap.shape[1])


@both_rates
def test_taps_begin_at_multiples_of_the_division(audio: AudioFormat) -> None:
    """A twentieth of a tap's energy has arrived within 1.5 ms of its time, nearly all of it within 10 ms."""
    spacing = audio.frames(BEAT_S * DIVISION)
    for tap in taps(audio):
        energy = (tap**2).sum(axis=0).cumsum() / (tap**2).sum()
        late_s = (np.searchsorted(energy, [0.05, 0.95]) - round(spacing / 2)) / audio.sample_rate_hz
        assert abs(late_s[0]) < 0.0015
        assert late_s[1] < 0.01


@both_rates
def test_each_tap_is_quieter_by_the_feedback(audio: AudioFormat) -> None:
    """Where no filter acts, at 1 kHz, tap j has a gain of 0.46^(j-1), within 2 dB."""
    for index, tap in enumerate(taps(audio)[:5]):
        freq_hz = np.fft.rfftfreq(tap.shape[1], 1 / audio.sample_rate_hz)
        spectrum = np.fft.rfft(tap)[:, (freq_hz > 700) & (freq_hz < 1200)]
        level_db = 10 * np.log10(np.mean((np.abs(spectrum) ** 2).sum(axis=0)))
        assert level_db == pytest.approx(20 * index * np.log10(0.46), abs=2.0)


@both_rates
def test_taps_alternate_between_the_sides_and_move_out(audio: AudioFormat) -> None:
    """Left, right, left, …, with the level difference of an equal-power pan to the given position."""
    for number, tap in enumerate(taps(audio), start=1):
        left, right = np.sqrt((tap**2).sum(axis=1))
        position = 4 / np.pi * np.arctan2(right, left) - 1
        assert position == pytest.approx((-1) ** number * min(0.85, 0.55 + 0.06 * number), abs=1e-6)


@both_rates
def test_taps_get_darker(audio: AudioFormat) -> None:
    """The middle of the spectrum falls from tap to tap, from over 1.5 kHz to under 1 kHz."""
    middles = [middle_hz(tap, audio) for tap in taps(audio)]
    assert middles == sorted(middles, reverse=True)
    assert middles[0] > 1500
    assert middles[-1] < 1000


@both_rates
def test_a_tap_smears_a_click(audio: AudioFormat) -> None:
    """The energy of a click comes back over milliseconds: no frame holds more than 30 % of a tap's."""
    for tap in taps(audio):
        assert (tap**2).max() < 0.3 * (tap**2).sum()


@both_rates
@pytest.mark.parametrize("division", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("bpm", [40, 60, 75, 90, 120])
def test_the_response_is_bounded_for_every_tempo(bpm: int, division: float, audio: AudioFormat) -> None:
    """At most 3.5 s, with at least one tap, and at most two partitions per tap."""
    impulse = delay.impulse(60 / bpm, division, audio)
    response = convolution.response(impulse, audio)
    assert 0 < impulse.shape[1] <= 3.5 * audio.sample_rate_hz
    assert response.length <= 35
    spacing_s = 60 / bpm * division
    assert 1 <= len(response.partitions) <= 2 * min(7, 3.5 // spacing_s)


def test_a_tempo_too_slow_for_any_tap_is_silent() -> None:
    """A tap later than the longest response is left out."""
    assert delay.impulse(4.0, 1.0, FORMATS[0]).shape == (2, 0)


def test_without_taps_there_are_no_partitions() -> None:
    """A response without frames convolves to silence."""
    assert convolution.response(delay.impulse(4.0, 1.0, FORMATS[0]), FORMATS[0]).length == 0


def test_the_response_is_a_function_of_its_arguments() -> None:
    """Whatever was drawn before, the taps are the same."""
    first = delay.impulse(BEAT_S, DIVISION, FORMATS[0])
    delay.impulse(0.7, 1.0, FORMATS[1])
    assert np.array_equal(first, delay.impulse(BEAT_S, DIVISION, FORMATS[0]))
