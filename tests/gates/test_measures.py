"""The measures on signals with known answers: EBU's test cases, tones, noise, and planted faults."""

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from scipy import signal

from tests.gates import measures

RATES_HZ = (44_100, 48_000)
RATE_HZ = 44_100
CHUNK = 4410


def tone(
    levels_dbfs: list[float], seconds: list[float], rate_hz: int = RATE_HZ, freq_hz: float = 1000
) -> NDArray:
    """A sine in both ears, with its peak at each of the levels for the given seconds."""
    amplitude = np.concatenate(
        [np.full(round(s * rate_hz), 10 ** (db / 20)) for db, s in zip(levels_dbfs, seconds, strict=True)]
    )
    sine = amplitude * np.sin(2 * np.pi * freq_hz * np.arange(amplitude.size) / rate_hz)
    return np.stack([sine, sine])


def noise(seconds: float, level: float = 0.1, seed: int = 1) -> NDArray:
    """White noise, independent in both ears, as float32."""
    samples = level * np.random.default_rng(seed).standard_normal((2, int(seconds * RATE_HZ)))
    return samples.astype(np.float32)


def mellow(seconds: float, seed: int = 1) -> NDArray:
    """Noise that falls by 12 dB per octave above 400 Hz, rounded to 16 bit with dither, like a quiet mix."""
    rng = np.random.default_rng(seed)
    sections = signal.butter(2, 400, fs=RATE_HZ, output="sos")
    soft = signal.sosfilt(sections, noise(seconds, seed=seed).astype(np.float64), axis=1)
    dither = rng.uniform(-0.5, 0.5, soft.shape) + rng.uniform(-0.5, 0.5, soft.shape)
    return np.rint(soft * 32767 + dither) * measures.LSB


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(
    ("levels_dbfs", "seconds", "expected_lufs"),
    [
        ([-23], [20], -23),
        ([-33], [20], -33),
        ([-36, -23, -36], [10, 60, 10], -23),
        ([-72, -36, -23, -36, -72], [10, 10, 60, 10, 10], -23),
        ([-26, -20, -26], [20, 20.1, 20], -23),
    ],
)
def test_loudness_of_ebu_3341(
    rate_hz: int, levels_dbfs: list[float], seconds: list[float], expected_lufs: float
) -> None:
    """Cases 1 to 5 of EBU Tech 3341, within its 0.1 LU."""
    audio = tone(levels_dbfs, seconds, rate_hz)
    assert measures.integrated_lufs(audio, rate_hz) == pytest.approx(expected_lufs, abs=0.1)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(
    ("levels_dbfs", "expected_lu"),
    [([-20, -30], 10), ([-20, -15], 5), ([-40, -20], 20), ([-50, -35, -20, -35, -50], 15)],
)
def test_loudness_range_of_ebu_3342(rate_hz: int, levels_dbfs: list[float], expected_lu: float) -> None:
    """Cases 1 to 4 of EBU Tech 3342, within its 1 LU."""
    audio = tone(levels_dbfs, [20] * len(levels_dbfs), rate_hz)
    assert measures.loudness_range_lu(audio, rate_hz) == pytest.approx(expected_lu, abs=1)


def test_own_loudness_agrees_with_pyloudnorm() -> None:
    """On swelling noise our mean loudness is pyloudnorm's, and the loudness ranges agree."""
    audio = mellow(40) * np.linspace(0.3, 1, 40 * RATE_HZ)
    own = measures.loudness_curve(audio, RATE_HZ, 40.0)[0]
    assert own == pytest.approx(measures.integrated_lufs(audio, RATE_HZ), abs=0.15)
    reference = pyloudnorm.Meter(RATE_HZ).loudness_range(audio.T)
    assert measures.loudness_range_lu(audio, RATE_HZ) == pytest.approx(reference, abs=0.5)


def test_the_loudness_curve_follows_a_change_within_its_window() -> None:
    """3 s after a step of 6 dB the curve shows the whole step, before the step nothing of it."""
    curve = measures.loudness_curve(tone([-29, -23], [10, 10]), RATE_HZ)
    assert curve.size == 20 * 10 - 30 + 1
    assert curve[69] == pytest.approx(-29, abs=0.1)
    assert curve[101] == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("phase", [0, 45, 60, 67.5])
def test_true_peak_of_ebu_3341(phase: float) -> None:
    """Cases 15 to 19: a sine of half full scale is -6 dBTP (+0.2, -0.4), however its samples fall."""
    n = np.arange(700_000)
    sine = 0.5 * np.sin(2 * np.pi * n / {0: 4, 45: 4, 60: 6, 67.5: 8}[phase] + np.radians(phase))
    sine[:4000] *= np.linspace(0, 1, 4000)
    sine[-4000:] *= np.linspace(1, 0, 4000)
    assert -6.42 <= measures.true_peak_db(np.stack([sine, 0 * sine])) <= -5.82


def test_true_peak_looks_across_its_pieces() -> None:
    """A peak between two frames at the border of two pieces is found."""
    audio = np.zeros((2, 2 * measures._PIECE_FRAMES), np.float32)
    middle = measures._PIECE_FRAMES
    around = np.arange(middle - 200, middle + 200)
    audio[1, around] = 0.9 * np.sinc(0.9 * (around - middle + 0.5))
    assert measures.true_peak_db(audio) == pytest.approx(20 * np.log10(0.9), abs=0.1)


def test_levels_of_a_sine() -> None:
    """Its crest is 3 dB; an offset of a thousandth is -60 dBFS of DC."""
    sine = tone([-6], [2])
    assert measures.crest_db(sine) == pytest.approx(3.01, abs=0.01)
    assert measures.dc_dbfs(sine) < -120
    assert measures.dc_dbfs(sine + np.array([[0.0], [0.001]])) == pytest.approx(-60, abs=0.01)


def test_pcm_is_read_as_planar() -> None:
    """Left and right come apart, full scale is 1."""
    audio = measures.from_pcm(np.array([[16384, -32768], [0, 8192]], "<i2").tobytes())
    assert audio.tolist() == [[0.5, 0.0], [-1.0, 0.25]]


@pytest.mark.parametrize(
    "audio", [noise(20), mellow(20), tone([-12], [20], freq_hz=466.16)], ids=["white", "mellow", "tone"]
)
def test_seamless_audio_has_borders_like_any_other_place(audio: NDArray) -> None:
    """Ranks scatter around one half by no more than chance allows, and no step stands out."""
    found = measures.borders(audio, CHUNK)
    assert abs(found.rank_deviation) < 4
    assert found.step_db < 0.5


@pytest.mark.parametrize("fault", ["step", "slope", "gain"])
def test_faults_at_borders_are_found(fault: str) -> None:
    """A step of 30 LSB, a kink, 3 % of gain from chunk to chunk: each shows in the ranks."""
    audio, chunk = mellow(20), np.arange(20 * RATE_HZ) // CHUNK
    within = np.arange(20 * RATE_HZ) % CHUNK
    if fault == "step":
        audio = audio + 30 * measures.LSB * (chunk % 2)
    elif fault == "slope":
        audio = audio + 12 * measures.LSB * np.abs(within - CHUNK / 2) * (within > 0) / 4
    else:
        audio = audio * (1 + 0.03 * (chunk % 2))
    assert measures.borders(audio, CHUNK).rank_deviation > 6


def test_a_large_step_stands_out() -> None:
    """A step of a tenth of full scale, where the music's own steps are about a hundredth."""
    audio = mellow(5) + 0.1 * (np.arange(5 * RATE_HZ) // CHUNK % 2)
    assert measures.borders(audio, CHUNK).step_db > 10


@pytest.mark.parametrize("audio", [noise(30), mellow(60), tone([-6], [5]), 0 * tone([-6], [1])])
def test_clean_audio_has_no_clicks(audio: NDArray) -> None:
    """Neither noise nor tones nor silence."""
    assert measures.click_frames(audio) == []


def test_a_struck_note_is_no_click() -> None:
    """A tone and a 20 ms thump of noise, both rising within 2 ms."""
    t = np.arange(RATE_HZ) / RATE_HZ
    struck = np.minimum(t / 0.002, 1) * np.exp(-t / 0.2) * np.sin(2 * np.pi * 880 * t)
    thump = np.minimum(t / 0.002, 1) * np.exp(-t / 0.02) * noise(1)[0]
    note = 0.3 * struck + 0.3 * thump
    audio = mellow(3)
    audio[:, RATE_HZ : 2 * RATE_HZ] += note
    assert measures.click_frames(audio) == []


def test_planted_clicks_are_found_where_they_are() -> None:
    """A wrong sample and a step."""
    audio = mellow(3)
    audio[0, 20_000] += 0.02
    audio[1, 50_000:] += 0.02
    found = measures.click_frames(audio)
    assert {min(abs(frame - at) for frame in found) for at in (20_000, 50_000)} <= {0, 1}
    assert all(min(abs(frame - 20_000), abs(frame - 50_000)) <= 2 for frame in found)


def test_gaps_are_timed() -> None:
    """Half a second of dithered silence within noise is measured within 1 ms."""
    audio = noise(2)
    audio[:, 30_000 : 30_000 + RATE_HZ // 2] = measures.LSB
    assert measures.longest_silence_s(audio, RATE_HZ) == pytest.approx(0.5, abs=0.001)
    assert measures.longest_silence_s(noise(2), RATE_HZ) < 0.001


def test_stereo_of_known_signals() -> None:
    """Mono, unrelated ears, half-related ears, opposite ears."""
    left, right = noise(5)
    mono = np.stack([left, left])
    assert measures.stereo_correlation(mono) == pytest.approx(1)
    assert measures.mono_loss_db(mono) == pytest.approx(0, abs=1e-6)
    assert measures.stereo_correlation(np.stack([left, right])) == pytest.approx(0, abs=0.01)
    assert measures.mono_loss_db(np.stack([left, right])) == pytest.approx(3.01, abs=0.05)
    assert measures.stereo_correlation(np.stack([left, left + right])) == pytest.approx(0.5**0.5, abs=0.01)
    assert measures.mono_loss_db(np.stack([left, -left])) > 100


def test_centroid_of_two_tones_is_where_their_power_is() -> None:
    """1 kHz, and 3 kHz at a third of its power: 1.5 kHz."""
    audio = tone([-6], [5]) + tone([-6 - 4.7712], [5], freq_hz=3000)
    assert measures.power_centroid_hz(audio, RATE_HZ) == pytest.approx(1500, rel=0.01)


@pytest.mark.parametrize("slope", [0.0, -3.0103, -6.0206])
def test_slope_of_coloured_noise(slope: float) -> None:
    """White, pink and brown."""
    shape = np.fft.rfft(noise(30).astype(np.float64), axis=1)
    freq_hz = np.maximum(np.fft.rfftfreq(30 * RATE_HZ, 1 / RATE_HZ), 1)
    coloured = np.fft.irfft(shape * freq_hz ** (slope / 6.0206), axis=1)
    assert measures.slope_db_per_octave(coloured, RATE_HZ) == pytest.approx(slope, abs=0.1)
