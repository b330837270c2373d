"""The measure of movement, against sounds with known movement."""

import numpy as np
import pytest

from tests.gates.movement import band_levels_db, movement_db

RATE = 44_100
SECONDS = np.arange(8 * RATE) / RATE


def both(ear: np.ndarray) -> np.ndarray:
    return np.stack([ear, ear])


def test_a_held_chord_does_not_move() -> None:
    chord = sum(np.sin(2 * np.pi * f * SECONDS) for f in (220.0, 330.5, 441.0))
    assert movement_db(both(np.asarray(chord)), RATE) < 0.05


def test_steady_noise_hardly_moves() -> None:
    noise = np.random.default_rng(1).standard_normal((2, len(SECONDS)))
    assert 0.1 < movement_db(noise, RATE) < 0.4


@pytest.mark.parametrize("depth_db", [1.0, 4.0])
def test_a_slow_swing_counts_by_its_rms_depth(depth_db: float) -> None:
    swing = 10 ** (depth_db * np.sin(2 * np.pi * 0.25 * SECONDS) / 20)
    moved = movement_db(both(np.sin(2 * np.pi * 440 * SECONDS) * swing), RATE)
    assert moved == pytest.approx(depth_db / np.sqrt(2), rel=0.2)


def test_only_bands_that_are_heard_count() -> None:
    tones = np.sin(2 * np.pi * 440 * SECONDS) + 1e-3 * np.sin(2 * np.pi * 4000 * SECONDS)
    assert len(band_levels_db(both(tones), RATE)) <= 3
