"""The gates of the sound: what whole pieces must measure, by methods independent of the synth."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ
from services.composer import textures
from services.composer.orchestra import PLAYERS
from services.synth.patches.library import library
from services.synth.voices.columns import Hiss
from tests.gates import measures, structure
from tests.gates.pieces import LONG, LONG_MINUTES, SHORT, SHORT_MINUTES, Piece, named, piece
from tests.gates.roughness import roughness
from tests.unit.synth import oracle
from tests.unit.synth.players import voices_of_note

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=LONG)
def long(request: pytest.FixtureRequest) -> Piece:
    """Ten minutes."""
    return named(request.param, LONG_MINUTES)


@pytest.fixture(scope="module", params=SHORT)
def short(request: pytest.FixtureRequest) -> Piece:
    """A minute of other seeds."""
    return named(request.param, SHORT_MINUTES)


@pytest.fixture(scope="module", params=LONG + SHORT)
def any_piece(request: pytest.FixtureRequest) -> Piece:
    """Ten minutes of one seed, less of others."""
    return named(request.param, LONG_MINUTES if request.param in LONG else SHORT_MINUTES)


def test_loudness(long: Piece) -> None:
    """-18 LUFS within 1 LU, as ITU-R BS.1770 measures it."""
    assert measures.integrated_lufs(long.audio, long.rate_hz) == pytest.approx(-18, abs=1)


def test_loudness_range(long: Piece) -> None:
    """4 to 12 LU (EBU Tech 3342)."""
    assert 4 <= measures.loudness_range_lu(long.audio, long.rate_hz) <= 12


def test_no_seed_is_far_louder_than_another(any_piece: Piece) -> None:
    """A piece of any seed is within 2.5 LU of the target."""
    assert measures.integrated_lufs(any_piece.audio, any_piece.rate_hz) == pytest.approx(-18, abs=2.5)


def test_loudness_does_not_depend_on_the_sample_rate() -> None:
    """The same minute is as loud at 44.1 as at 48 kHz, within 0.2 LU."""
    low, high = (piece(4, SHORT_MINUTES, rate_hz=rate_hz) for rate_hz in SAMPLE_RATES_HZ)
    loudness = measures.integrated_lufs(low.audio, low.rate_hz)
    assert measures.integrated_lufs(high.audio, high.rate_hz) == pytest.approx(loudness, abs=0.2)


def test_true_peak(any_piece: Piece) -> None:
    """At most -1 dBTP."""
    assert measures.true_peak_db(any_piece.audio) <= -1


def test_no_clicks_no_gaps_no_offset(any_piece: Piece) -> None:
    """No break in the waveform, no silence of 0.1 s, DC below -60 dBFS."""
    assert measures.click_frames(any_piece.audio) == []
    assert measures.longest_silence_s(any_piece.audio, any_piece.rate_hz) < 0.1
    assert measures.dc_dbfs(any_piece.audio) < -60


def test_chunk_borders_are_indistinguishable(short: Piece) -> None:
    """Borders are no rougher than their surroundings."""
    found = measures.borders(short.audio, short.rate_hz // 10)
    assert abs(found.rank_deviation) < 4
    assert found.step_db <= 0


def test_stereo(any_piece: Piece) -> None:
    """Wide, and with little loss on a single loudspeaker."""
    assert 0.2 <= measures.stereo_correlation(any_piece.audio) <= 0.9
    assert measures.mono_loss_db(any_piece.audio) < 3


def test_spectral_balance(short: Piece) -> None:
    """Neither dull nor harsh: 2 to 6 dB quieter from octave to octave (per hertz 3 dB more)."""
    assert -9 <= measures.slope_db_per_octave(short.audio, short.rate_hz) <= -5
    assert 200 <= measures.power_centroid_hz(short.audio, short.rate_hz) <= 600


def test_it_is_not_rough(short: Piece) -> None:
    """A roughness of at most 0.75, about that of a wide chord of a smooth pad."""
    assert roughness(short.audio, short.rate_hz) <= 0.75


def test_nothing_sounds_that_the_score_does_not_explain(short: Piece) -> None:
    """Where the spectrum jumps, a note begins; a few jumps (5 % of the notes) may be grains and echoes."""
    assert len(_unexplained_s(short.audio, short)) <= 0.05 * len(short.onsets_s())


def test_sounds_that_the_score_does_not_explain_would_be_found(short: Piece) -> None:
    """Most of planted bursts are found (0.1 s, 6 dB too loud, faded in 5 ms): the test above can fail."""
    onsets, frames = np.array(short.onsets_s()), short.rate_hz // 10
    faults = [at for at in np.arange(3.05, 57, 1.0) if np.abs(onsets - at).min() > 0.2]
    fade = np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / (short.rate_hz / 200))
    faulty = short.audio.copy()
    for at in faults:
        faulty[:, round(at * short.rate_hz) :][:, :frames] *= 1 + fade
    found = _unexplained_s(faulty, short)
    assert len(faults) >= 5
    assert sum(bool(np.abs(np.array(found) - at).min() < 0.05) for at in faults) > 0.7 * len(faults)


@pytest.mark.parametrize("name", PLAYERS["texture"])
def test_weather_has_no_joins(name: str) -> None:
    """One note goes over into the next one within half a decibel, gusts aside."""
    period_s, overlap_s = textures._PERIODS_MS[0] / 1000, textures._OVERLAP_MS / 1000
    (voice, *_) = voices_of_note(library()[name], seconds=period_s + overlap_s)
    times_s = np.arange(0, period_s, 0.1)
    power = sum(oracle.noise_levels(voice, times_s + turn * period_s) ** 2 for turn in (0, 1))
    level_db = 10 * np.log10(power[0, np.argmax(voice.hiss[0, :, Hiss.GAIN])])
    assert np.ptp(level_db) < 1


def _unexplained_s(audio: measures.Audio, of: Piece) -> list[float]:
    """Times at which the spectrum of ``audio`` jumps and the score has no note."""
    return structure.unexplained_s(structure.onsets_s(audio, of.rate_hz), of.onsets_s(), 0.12)


def test_no_eight_bars_come_back(long: Piece) -> None:
    """No two stretches of 32 s (eight bars at 60 BPM) are the same music."""
    assert structure.closest_repeat(long.audio, long.rate_hz, 32.0).difference > 0.25


def test_other_seeds_are_other_pieces() -> None:
    """The audio of two seeds is uncorrelated."""
    one, other = (piece(seed, SHORT_MINUTES).audio for seed in (2, 3))
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.1
