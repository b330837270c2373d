"""The rooms' responses by measures from room acoustics, independent of how the responses are made."""

import itertools
import re
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfiltfilt

from auralis.audio import AudioFormat
from services.synth.dsp import convolution, rooms
from tests.device import DEVICE, numpy_of, there

Signal = NDArray[np.float64]

PAGE: Final = Path(__file__).parents[4] / "docs" / "space.md"
OCTAVES_HZ: Final = (125, 250, 500, 1000, 2000, 4000)
EULER: Final = 0.5772156649
every_room = pytest.mark.parametrize("name", rooms.ROOMS)
both_rates = pytest.mark.parametrize("rate_hz", [44_100, 48_000])


@cache
def response(name: str, rate_hz: int) -> Signal:
    return rooms.impulse(rooms.ROOMS[name], AudioFormat(rate_hz))


def mixed_s(name: str) -> float:
    """The time from which the tail is dense."""
    room = rooms.ROOMS[name]
    return (room.pre_delay_ms + room.tail_onset_ms + room.mixing_ms) / 1000


def heard(name: str, rate_hz: int) -> Signal:
    """The response from its first sound on."""
    return response(name, rate_hz)[:, round(rooms.ROOMS[name].pre_delay_ms / 1000 * rate_hz) :]


def octave(signal: Signal, centre_hz: float, rate_hz: int) -> Signal:
    band = [centre_hz / 2**0.5, centre_hz * 2**0.5]
    return np.asarray(sosfiltfilt(butter(4, band, "bandpass", fs=rate_hz, output="sos"), signal, axis=1))


def decay_s(signal: Signal, rate_hz: int, from_db: float, to_db: float) -> float:
    """Reverberation time by Schroeder's backward integration between two levels, averaged over both ears."""
    times = []
    for ear in signal:
        energy = np.cumsum(ear[::-1] ** 2)[::-1]
        level_db = 10 * np.log10(energy / energy[0] + 1e-30)
        within = np.flatnonzero((level_db <= from_db) & (level_db >= to_db))
        times.append(-60 / np.polyfit(within / rate_hz, level_db[within], 1)[0])
    return float(np.mean(times))


def t30_s(name: str, rate_hz: int, centre_hz: float) -> float:
    return decay_s(octave(heard(name, rate_hz), centre_hz, rate_hz), rate_hz, -5, -35)


def edt_s(name: str, rate_hz: int, centre_hz: float) -> float:
    return decay_s(octave(heard(name, rate_hz), centre_hz, rate_hz), rate_hz, 0, -10)


def pink(frames: int, seed: int = 1) -> Signal:
    """Noise whose octaves are equally strong, at -20 dBFS."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, frames)
    return np.asarray(noise * 0.1 / np.sqrt(np.mean(noise**2)))


@every_room
@both_rates
def test_every_octave_rings_as_long_as_designed(name: str, rate_hz: int) -> None:
    """T30 of each octave from 125 Hz to 4 kHz is within 15 % of the table."""
    designed = dict(zip(rooms.OCTAVES_HZ, rooms.ROOMS[name].t60_s, strict=True))
    for centre_hz in OCTAVES_HZ:
        assert t30_s(name, rate_hz, centre_hz) == pytest.approx(designed[centre_hz], rel=0.15), centre_hz


@every_room
@both_rates
def test_the_early_decay_matches_the_tail(name: str, rate_hz: int) -> None:
    """EDT is T30 within 15 % on average from 250 Hz to 4 kHz, and within 25 % in each octave."""
    ratios = [edt_s(name, rate_hz, hz) / t30_s(name, rate_hz, hz) for hz in OCTAVES_HZ[1:]]
    assert abs(np.mean(ratios) - 1) < 0.15
    assert np.abs(np.array(ratios) - 1).max() < 0.25


def echo_density(name: str, rate_hz: int) -> tuple[Signal, Signal]:
    """Times and the normalised echo density (Abel & Huang 2006) there: 20 ms Hann windows, ears' mean.

    The share of frames beyond one standard deviation, relative to Gaussian noise; mean of 100 ms.
    """
    signal = response(name, rate_hz)
    size = round(0.02 * rate_hz)
    hann = np.hanning(size) / np.hanning(size).sum()
    starts = np.arange(0, signal.shape[1] // 2 - size, size // 4)
    share = np.zeros(len(starts))
    for ear in signal:
        for index, start in enumerate(starts):
            window = ear[start : start + size]
            share[index] += 0.5 * np.sum(hann * (np.abs(window) > np.sqrt(np.sum(hann * window**2)))) / 0.3173
    smooth = np.convolve(share, np.ones(20) / 20, mode="valid")
    return starts[: len(smooth)] / rate_hz, smooth


@every_room
@both_rates
def test_the_tail_is_as_dense_as_noise(name: str, rate_hz: int) -> None:
    """From the mixing time on, the echo density is at least 0.9 of Gaussian noise's: no grain."""
    at_s, density = echo_density(name, rate_hz)
    late = density[at_s >= mixed_s(name)]
    assert len(late) > 5
    assert late.min() >= 0.9


@every_room
@both_rates
def test_the_ears_share_the_bass_and_nothing_above(name: str, rate_hz: int) -> None:
    """Correlation of the late ears: over 0.85 at 125 Hz, under 0.25 from 1 kHz on."""
    bands = {hz: octave(response(name, rate_hz), hz, rate_hz) for hz in (125, 1000, 2000, 4000, 8000)}
    since = round(mixed_s(name) * rate_hz)
    correlation = {hz: np.corrcoef(band[:, since:])[0, 1] for hz, band in bands.items()}
    assert correlation.pop(125) > 0.85
    assert max(map(abs, correlation.values())) < 0.25


def late_lines(tail: Signal, rate_hz: int) -> Signal:
    """Power of each bin from 200 Hz to 4 kHz relative to the mean of its neighbourhood of 81 bins."""
    power = np.abs(np.fft.rfft(tail)) ** 2
    freq_hz = np.fft.rfftfreq(len(tail), 1 / rate_hz)
    around = np.convolve(power, np.ones(81) / 81, mode="same")
    return (power / around)[(freq_hz > 200) & (freq_hz < 4000)]


def late(name: str, rate_hz: int) -> Signal:
    """Both ears from the mixing time on, for a second at most, the decay taken out."""
    tail = response(name, rate_hz)[:, round(mixed_s(name) * rate_hz) :][:, : rate_hz // 2 * 2]
    tail = tail[:, : round(min(1.0, rooms.ROOMS[name].t60_s[4] * 0.8) * rate_hz)]
    at_s = np.arange(tail.shape[1]) / rate_hz
    return np.asarray(tail * 10 ** (3 * at_s / rooms.ROOMS[name].t60_s[4]))


@every_room
@both_rates
def test_no_tone_rings(name: str, rate_hz: int) -> None:
    """The late spectrum is as flat as noise (flatness e^-γ), with no line stronger than chance gives."""
    for ear in late(name, rate_hz):
        lines = late_lines(ear, rate_hz)
        assert np.exp(np.mean(np.log(lines))) == pytest.approx(np.exp(-EULER), abs=0.04)
        assert lines.max() < np.log(len(lines)) + 6  # once in 400 pieces of noise


def flutter(tail: Signal, rate_hz: int) -> float:
    """The largest autocorrelation of the energy (2 ms blocks), 6 to 100 ms, in standard deviations."""
    size = round(0.002 * rate_hz)
    count = len(tail) // size
    level = np.log((tail[: count * size] ** 2).reshape(count, size).mean(axis=1))
    level -= np.polyval(np.polyfit(np.arange(count), level, 2), np.arange(count))
    lags = [np.mean(level[lag:] * level[:-lag]) for lag in range(3, 50)]
    return float(np.max(lags) / np.mean(level**2) * np.sqrt(count))


@every_room
@both_rates
def test_nothing_flutters(name: str, rate_hz: int) -> None:
    """The late energy has no period: its autocorrelation stays under four standard deviations."""
    for ear in late(name, rate_hz):
        assert flutter(ear, rate_hz) < 4


def test_the_measures_find_faults() -> None:
    """A tone at 440 Hz, 17 dB under the tail, and a 30 ms flutter of ±30 % are found once they are added."""
    rate_hz = 44_100
    ear = late("hall", rate_hz)[0]
    at_s = np.arange(len(ear)) / rate_hz
    tone = 0.2 * np.sqrt(np.mean(ear**2)) * np.sin(2 * np.pi * 440 * at_s)
    lines = late_lines(ear + tone, rate_hz)
    assert lines.max() > np.log(len(lines)) + 6
    assert flutter(ear * (1 + 0.3 * np.sin(2 * np.pi * at_s / 0.03)), rate_hz) > 6


@every_room
@both_rates
def test_in_mono_little_is_lost(name: str, rate_hz: int) -> None:
    """Pink noise from the middle through both ears' responses, added up, loses less than 3 dB."""
    wet = [fftconvolve(pink(3 * rate_hz), ear) for ear in response(name, rate_hz)]
    lost_db = 10 * np.log10(np.mean(np.square(wet)) / np.mean(np.mean(wet, axis=0) ** 2))
    assert 0 <= lost_db < 3


def k_weighted(signal: Signal) -> Signal:
    """K-weighting by the coefficients that ITU-R BS.1770 prints for 48 kHz."""
    shelf = lfilter(
        [1.53512485958697, -2.69169618940638, 1.19839281085285],
        [1.0, -1.69065929318241, 0.73248077421585],
        signal,
    )
    return np.asarray(lfilter([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621], shelf))


@every_room
def test_every_room_is_equally_loud(name: str) -> None:
    """Pink noise of -20 dBFS comes back, in each ear, as loud (K-weighted) as it went in, within 0.5 dB."""
    noise = pink(20 * 48_000)
    settled = slice(8 * 48_000, 20 * 48_000)
    sent = np.mean(k_weighted(noise)[settled] ** 2)
    for ear in response(name, 48_000):
        came = np.mean(k_weighted(fftconvolve(noise, ear)[: len(noise)])[settled] ** 2)
        assert abs(10 * np.log10(came / sent)) < 0.5


@every_room
@both_rates
def test_nothing_comes_before_the_pre_delay(name: str, rate_hz: int) -> None:
    """Until then there is nothing over -60 dB of the peak; within 3 ms of it there is sound."""
    signal = np.abs(response(name, rate_hz)).max(axis=0)
    first = round(rooms.ROOMS[name].pre_delay_ms / 1000 * rate_hz)
    assert signal[: first - rate_hz // 2000].max() < 1e-3 * signal.max()
    assert signal[first : first + round(0.003 * rate_hz)].max() > 0.05 * signal.max()


@every_room
@both_rates
def test_the_end_is_faded_out(name: str, rate_hz: int) -> None:
    """The last 10 ms are 90 dB under the peak."""
    signal = np.abs(response(name, rate_hz))
    assert signal[:, -rate_hz // 100 :].max() < 10 ** (-90 / 20) * signal.max()


@pytest.mark.parametrize(("name", "chunks"), [("hall", 45), ("cathedral", 87), ("plate", 50), ("room", 11)])
@both_rates
def test_responses_are_short(name: str, chunks: int, rate_hz: int) -> None:
    """A worker that takes over renders no more than this much of the past."""
    audio = AudioFormat(rate_hz)
    assert convolution.response(response(name, rate_hz), audio).length <= chunks


@every_room
def test_a_room_is_equally_long_at_both_rates(name: str) -> None:
    """The length depends on the design, not on the noise that was drawn."""
    seconds = [response(name, rate_hz).shape[1] / rate_hz for rate_hz in (44_100, 48_000)]
    assert seconds[0] == pytest.approx(seconds[1], abs=1e-3)


@every_room
def test_a_room_answers_alike_at_both_rates(name: str) -> None:
    """Tones of 50 Hz to 15 kHz come back with the same gain and phase: the difference is under -80 dB.

    Equal loudness with noise is not enough: a held tone and its reverberation add by their phases.
    """
    spectra = [np.fft.rfft(response(name, rate_hz), 10 * rate_hz) for rate_hz in (44_100, 48_000)]
    first, second = (spectrum[:, 500:150_000] for spectrum in spectra)  # a bin is 0.1 Hz
    for low, high in itertools.pairwise(np.geomspace(500, 150_000, 9).astype(int) - 500):
        error, power = (np.mean(np.abs(x[:, low:high]) ** 2) for x in (second - first, first))
        assert 10 * np.log10(error / power) < -80


@every_room
@both_rates
def test_pink_noise_is_convolved_with_an_error_under_80_db(name: str, rate_hz: int) -> None:
    """The error of partitions and their missing bins, for a spectrum like music's, against scipy's."""
    audio = AudioFormat(rate_hz)
    frames, parts = audio.frames_per_chunk, convolution.response(response(name, rate_hz), audio).on(DEVICE)
    sent = pink((parts.length + 2) * frames).astype(np.float32)
    chunks = [there(np.stack([each, each])) for each in sent.reshape(-1, frames)]
    spectra = convolution.spectra(list(itertools.pairwise(chunks)), frames, audio)
    (convolved,) = convolution.convolve([convolution.Past(spectra, parts)], audio)
    for ear, signal in enumerate(numpy_of(convolved).astype(float)):
        exact = fftconvolve(sent.astype(np.float64), response(name, rate_hz)[ear])[: len(sent)][-frames:]
        assert 10 * np.log10(np.mean((signal - exact) ** 2) / np.mean(exact**2)) < -80


def test_a_response_is_a_function_of_the_room() -> None:
    """Designed again, after another room, it has the same bits; another room differs."""
    first = response("room", 44_100)
    rooms.impulse(rooms.ROOMS["plate"], AudioFormat())
    assert np.array_equal(first, rooms.impulse(rooms.ROOMS["room"], AudioFormat()))


def clarity_db(name: str, rate_hz: int) -> float:
    """C80: the energy of the first 80 ms relative to the rest."""
    energy = (heard(name, rate_hz) ** 2).sum(axis=0)
    early = round(0.08 * rate_hz)
    return float(10 * np.log10(energy[:early].sum() / energy[early:].sum()))


@every_room
def test_the_documentation_has_the_measured_figures(name: str) -> None:
    """The table in `docs/space.md` holds the results of these functions at 44.1 kHz."""
    rows = re.findall(rf"(?m)^\| `{name}` \|(.+)\|$", PAGE.read_text())
    written = [float(cell.split()[0].replace("−", "-")) for cell in rows[0].split("|")]
    edt = np.mean([edt_s(name, 44_100, hz) / t30_s(name, 44_100, hz) for hz in OCTAVES_HZ[1:]])
    found = [*(t30_s(name, 44_100, hz) for hz in (125, 500, 1000, 4000)), edt, clarity_db(name, 44_100)]
    found += [response(name, 44_100).shape[1] / 44_100]
    assert written == pytest.approx(found, rel=0.02, abs=0.06)
