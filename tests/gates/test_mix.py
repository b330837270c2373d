"""The gates of the sound: what whole pieces must measure, by references that know nothing of their making."""

from itertools import pairwise

import numpy as np
import pytest

from auralis.score.events import Note
from tests.gates import measures, structure
from tests.gates.pieces import LONG_MINUTES, SHORT_MINUTES, Piece, piece

LONG = [(1, 44_100)]
SHORT = [(2, 44_100), (3, 44_100), (4, 48_000)]
LEVELS = (0.0, 0.5, 1.0)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=LONG, ids=lambda given: f"seed {given[0]} at {given[1]} Hz")
def long(request: pytest.FixtureRequest) -> Piece:
    """Ten minutes."""
    seed, rate_hz = request.param
    return piece(seed, LONG_MINUTES, rate_hz=rate_hz)


@pytest.fixture(scope="module", params=SHORT, ids=lambda given: f"seed {given[0]} at {given[1]} Hz")
def short(request: pytest.FixtureRequest) -> Piece:
    """A minute of other seeds."""
    seed, rate_hz = request.param
    return piece(seed, SHORT_MINUTES, rate_hz=rate_hz)


@pytest.fixture(scope="module", params=LONG + SHORT, ids=lambda given: f"seed {given[0]} at {given[1]} Hz")
def any_piece(request: pytest.FixtureRequest) -> Piece:
    """Ten minutes of one seed, less of others."""
    seed, rate_hz = request.param
    return piece(seed, LONG_MINUTES if (seed, rate_hz) in LONG else SHORT_MINUTES, rate_hz=rate_hz)


def test_loudness(long: Piece) -> None:
    """-18 LUFS within 1 LU, as ITU-R BS.1770 measures it."""
    assert measures.integrated_lufs(long.audio, long.rate_hz) == pytest.approx(-18, abs=1)


def test_loudness_range(long: Piece) -> None:
    """It breathes by 4 to 12 LU (EBU Tech 3342)."""
    assert 4 <= measures.loudness_range_lu(long.audio, long.rate_hz) <= 12


def test_no_seed_is_far_louder_than_another(any_piece: Piece) -> None:
    """Minutes of any seed are within 2.5 LU of the target."""
    assert measures.integrated_lufs(any_piece.audio, any_piece.rate_hz) == pytest.approx(-18, abs=2.5)


def test_true_peak(any_piece: Piece) -> None:
    """Not over -1 dBTP."""
    assert measures.true_peak_db(any_piece.audio) <= -1


def test_no_clicks_no_gaps_no_offset(any_piece: Piece) -> None:
    """Nothing breaks the waveform, nothing is silent, nothing leans."""
    assert measures.click_frames(any_piece.audio) == []
    assert measures.longest_silence_s(any_piece.audio, any_piece.rate_hz) < 0.1
    assert measures.dc_dbfs(any_piece.audio) < -60


def test_chunk_borders_can_not_be_told(short: Piece) -> None:
    """Borders are no rougher than what is around them."""
    found = measures.borders(short.audio, short.rate_hz // 10)
    assert abs(found.rank_deviation) < 4
    assert found.step_db <= 0


def test_stereo(any_piece: Piece) -> None:
    """Wide, and whole on one loudspeaker."""
    assert 0.2 <= measures.stereo_correlation(any_piece.audio) <= 0.9
    assert measures.mono_loss_db(any_piece.audio) < 3


def test_spectral_balance(short: Piece) -> None:
    """Neither dull nor glaring: 2 to 6 dB quieter from octave to octave (by hertz 3 dB more)."""
    assert -9 <= measures.slope_db_per_octave(short.audio, short.rate_hz) <= -5
    assert 200 <= measures.power_centroid_hz(short.audio, short.rate_hz) <= 600


def test_nothing_sounds_that_the_score_does_not_know(short: Piece) -> None:
    """Where the spectrum jumps, a note begins; a few jumps may be grains and echoes."""
    start = 10 * short.rate_hz
    notes = short.score.view().notes(0, start + short.audio.shape[1])
    onsets = [(note.at_frame - start) / short.rate_hz for note in notes]
    peaks = structure.onsets_s(short.audio, short.rate_hz, over=0.2)
    assert len(structure.unexplained_s(peaks, onsets, 0.12)) <= 0.05 * len(onsets)


def test_no_eight_bars_come_back(long: Piece) -> None:
    """Of all pairs of 32 s (eight bars at 60 beats a minute) none is the same music."""
    assert structure.closest_repeat(long.audio, long.rate_hz, 32.0).difference > 0.25


def test_intensity_brightens() -> None:
    """From 0 to 1 the power-weighted centroid rises."""
    centroids = [measures.power_centroid_hz(piece(2, SHORT_MINUTES, level).audio, 44_100) for level in LEVELS]
    assert centroids == sorted(centroids)
    assert centroids[-1] > 1.2 * centroids[0]


def test_intensity_thickens() -> None:
    """From 0 to 1 more notes begin."""
    counts = [len(_notes(piece(2, SHORT_MINUTES, level))) for level in LEVELS]
    assert counts == sorted(counts)
    assert counts[-1] > 1.5 * counts[0]


def test_intensity_swells_without_a_jump() -> None:
    """From 0 to 1 it grows louder, by less than 6 LU from step to step."""
    loudness = [measures.integrated_lufs(piece(2, SHORT_MINUTES, level).audio, 44_100) for level in LEVELS]
    assert loudness == sorted(loudness)
    assert all(b - a < 6 for a, b in pairwise(loudness))


def _notes(of: Piece) -> list[Note]:
    return of.score.view().notes(0, of.audio.shape[1])


def test_other_seeds_are_other_pieces() -> None:
    """Two seeds have nothing in common but their style."""
    one, other = (piece(seed, SHORT_MINUTES).audio for seed in (2, 3))
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.1
