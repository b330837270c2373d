"""Noises: gains by definition, the levels of layers, the grids of their bands, the same bits in any batch."""

import numpy as np
import pytest

from services.synth import automation
from services.synth.dsp import grid, noise
from services.synth.dsp.arrays import Float64Array
from services.synth.mix.arrangement import Arranger
from services.synth.mix.desk import LAYERS, Flat
from services.synth.mix.hiss import Hisses, HissStack, Noise
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.voices.columns import Hiss
from tests.unit.synth import oracle
from tests.unit.synth.players import CD, voices_of_note

CPU = "cpu"
CURVE = np.full(2, 0.5)


def sounding_of(*names: str, seq: int = 0, seed: int = 1) -> Sounding:
    voices = [
        voice
        for number, name in enumerate(names)
        for voice in voices_of_note(library()[name], seed=seed, number=number, seconds=20, layer="texture")
    ]
    return Sounding(seed, CD.start_frame(seq), voices, automation.brightness(CURVE), CURVE)


def noises_of(*soundings: Sounding) -> dict[int, Noise]:
    arranger = Arranger(CD, CPU, Flat())
    stack = HissStack([arranger.arrange(each) for each in soundings], CPU)
    return Hisses(soundings, stack, CD, CPU).mixed()


def expected(sounding: Sounding, at_frames: Float64Array) -> Float64Array:
    """Gains by definition, but for gusts: ``[time, ear, band]``; the powers of all noises add up."""
    power = np.zeros((len(at_frames), 2, noise.BANDS))
    for voice in sounding.voices:
        since_s = (sounding.start_frame + at_frames - voice.timing.at) / CD.sample_rate_hz
        levels = oracle.noise_levels(voice, since_s)
        ears = voice.hiss[:, 0, [Hiss.LEFT, Hiss.RIGHT]].astype(float)
        power += np.einsum("nbt,ne->teb", levels**2, ears**2)
    return np.sqrt(power)


@pytest.mark.parametrize(
    ("names", "seq", "times"),
    [(["shaker"], 0, 24), (["shaker", "felt_piano"], 0, 24), (["felt_piano"], 1, 2)],
)
def test_gains_match_their_definition(names: list[str], seq: int, times: int) -> None:
    """At every border while a noise moves, then at the chunk's ends; a layer's voices share one noise."""
    sounding = sounding_of(*names, seq=seq)
    assert not any((voice.hiss[..., Hiss.GUST] > 0).any() for voice in sounding.voices)
    gains = noises_of(sounding)[0].gains
    frames = noise.border_frames(CD) if times > 2 else np.array([0, CD.frames_per_chunk])
    exact = expected(sounding, frames.astype(float))
    assert gains.shape == (times, 2, 2, noise.BANDS)
    for ear in range(2):
        assert np.allclose(gains[:, ear, ear], exact[:, ear], atol=1e-3 * exact.max())
        assert not gains[:, 1 - ear, ear].any()


@pytest.mark.parametrize("name", ["brush", "wind"])
def test_levels_scale_the_noise_of_their_layer(name: str) -> None:
    """Linearly from the gain at the chunk's start to the gain at its end."""
    plain = sounding_of(name)
    levels = np.ones((2, len(LAYERS)))
    levels[:, LAYERS.index("texture")] = 0.25, 0.75
    whole, scaled = (noises_of(each)[0].gains for each in (plain, plain._replace(gains=levels)))
    frames = noise.border_frames(CD) if len(whole) > 2 else np.array([0, CD.frames_per_chunk])
    along = (0.25 + 0.5 * frames / CD.frames_per_chunk)[:, None, None, None]
    assert np.abs(whole).max() > 0
    assert np.allclose(scaled, whole * along, rtol=1e-5)


def test_noise_lies_on_the_grids_of_its_heard_bands() -> None:
    """On the coarse and the full grid, never on the middle one; elsewhere nothing is computed."""
    full, middle, coarse = grid.grids(CD)
    sounding = sounding_of("wind")
    gains = np.ones((2, 2, 2, noise.BANDS), np.float32)
    low, high = noise.LAST_COARSE, noise.LAST_COARSE + 1
    for lowest, highest, expected_on in ((2, low, [coarse]), (high, 18, [full]), (low, high, [full, coarse])):
        found = Noise(sounding, lowest, highest, gains)
        assert [on for on in (full, middle, coarse) if found.is_on(on)] == expected_on
        for on in expected_on:
            assert found.on(on).shape == (2, on.samples + 2 * on.around)


def test_a_batch_changes_no_bit() -> None:
    """Chunks without noise have none; the gains of the others are the same alone and next to others."""
    chunks = [
        sounding_of("brush", "wind", seed=1),
        Sounding(2, 0, [], CURVE, CURVE),
        sounding_of("felt_piano", seed=3),
        sounding_of("warm_pad", seq=60, seed=4),
    ]
    together = noises_of(*chunks)
    assert sorted(together) == [0, 2, 3]
    for owner, found in together.items():
        (alone,) = noises_of(chunks[owner]).values()
        assert (found.lowest, found.highest) == (alone.lowest, alone.highest)
        assert np.array_equal(found.gains, alone.gains)
