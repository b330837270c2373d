"""Terms of noise bands: levels computed from them match the columns' definition."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.synth.patches.library import library
from services.synth.voices import hiss_terms, levels
from services.synth.voices.columns import Hiss
from tests.unit.synth.players import voices_of_note

BANDS = 96


def drawn() -> NDArray[np.float32]:
    """Random bands with every property, ``[noise, band, column]``."""
    draw = np.random.default_rng(5)
    hiss = draw.uniform(0.05, 1.0, (2, BANDS // 2, len(Hiss)))
    hiss[..., Hiss.GATE_S] = draw.uniform(0.5, 4, hiss.shape[:2])
    hiss[..., Hiss.RISE_EXPONENT] = draw.choice([0.5, 1.0, 4.0], hiss.shape[:2])
    hiss[..., [Hiss.INTENSITY, Hiss.GUST]] = draw.uniform(-1, 1, (*hiss.shape[:2], 2))
    return hiss.astype(np.float32)


def exact(hiss: NDArray[np.float32], since_s: NDArray[np.float32], intensity: float) -> NDArray[np.float64]:
    """By definition, in float64: ``[time, band]``."""
    table = hiss.reshape(-1, len(Hiss)).T.astype(float)
    own_s = since_s - table[Hiss.DELAY_S]
    risen = _smoothstep(own_s / table[Hiss.ATTACK_S]) ** table[Hiss.RISE_EXPONENT]
    left = (1 - _smoothstep((since_s - table[Hiss.GATE_S]) / table[Hiss.RELEASE_S])) ** 2
    faded = np.exp(-table[Hiss.DECAY_NEPERS_S] * np.maximum(own_s - table[Hiss.ATTACK_S], 0))
    angle = 2 * np.pi * (table[Hiss.GUST_HZ] * since_s + table[Hiss.GUST_TURNS])
    gust = table[Hiss.GUST] * (0.7 * np.sin(angle) + 0.3 * np.sin(2.7 * angle))
    louder = np.exp(gust + table[Hiss.INTENSITY] * (intensity - 0.5))
    return np.asarray(table[Hiss.GAIN] * risen * left * faded * louder)


def _smoothstep(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(x, 0, 1)
    return np.asarray(x**2 * (3 - 2 * x))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("intensity", [0.0, 0.4, 1.0])
def test_levels_match_the_columns(intensity: float, kind: str) -> None:
    """Also before the onset, where they are below 2e-6 instead of 0."""
    hiss = drawn()
    since_s = np.random.default_rng(6).uniform(-0.5, 9, (11, BANDS)).astype(np.float32)
    found = hiss_terms.hiss_terms_of(hiss), since_s, np.full((11, 1), intensity, dtype=np.float32)
    if kind == "torch":
        found = tuple(map(torch.from_numpy, found))
    expected = exact(hiss, since_s, intensity)
    assert np.allclose(levels.hiss_levels(*found), expected, rtol=1e-4, atol=2e-6)


def test_columns_of_zeros_and_every_patchs_terms_give_finite_values() -> None:
    """Padding columns give finite levels; so do the terms of every patch."""
    zeros = np.zeros((hiss_terms.COUNT, 32), dtype=np.float32)
    with np.errstate(all="raise"):
        found = levels.hiss_levels(
            zeros, np.ones((2, 32), dtype=np.float32), np.ones((2, 1), dtype=np.float32)
        )
    assert np.isfinite(found).all()
    for patch in library().values():
        for voice in voices_of_note(patch):
            assert voice.hiss_terms.shape == (hiss_terms.COUNT, voice.hiss[..., 0].size)
            assert np.isfinite(voice.hiss_terms).all()
