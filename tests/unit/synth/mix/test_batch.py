"""Batches: levels and phases by definition, the gains of layers, the same bits in any batch."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.synth import automation
from services.synth.dsp import arrays, grid, steady
from services.synth.dsp.arrays import Float64Array
from services.synth.mix.arrangement import Arranger
from services.synth.mix.batch import Batch
from services.synth.mix.desk import LAYERS, Flat
from services.synth.mix.sounding import Sounding
from services.synth.mix.stack import Stack
from services.synth.patches.library import library
from services.synth.patches.schema import Harmonics, Motion, Patch
from services.synth.voices.voice import Voice
from tests.unit.synth import oracle
from tests.unit.synth.players import CD, patch_of, voices_of_note

CPU = "cpu"
CURVE = np.full(2, 0.5)
PAD_SEQ = 60  # in the middle of a note of 20 s
SWUNG = patch_of(
    partials=Harmonics(count=8), motion=Motion(vibrato_cents=12, vibrato_after_s=0.2, tremolo_db=3)
)


def sounding_of(patch: Patch, seq: int, seed: int = 1) -> Sounding:
    voices = voices_of_note(patch, seed=seed, seconds=20, layer="pad")
    return Sounding(seed, CD.start_frame(seq), voices, automation.brightness(CURVE), CURVE)


def batch_of(*soundings: Sounding) -> Batch:
    arranger = Arranger(CD, CPU, Flat())
    return Batch(soundings, Stack([arranger.arrange(each) for each in soundings], CD, CPU), CD, CPU)


def expected(voice: Voice, frames: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Level and phase of all partials by definition, at frames of the channel: ``[partial, frame]``."""
    rows, since_s = voice.rows, (frames - voice.timing.at) / CD.sample_rate_hz
    level = oracle.slow(rows.slow.astype(float).T[..., None], since_s, 0.5)
    level = level * oracle.fast(rows.fast.astype(float).T[..., None], since_s)
    turns = rows.freq_hz[:, None] * since_s + rows.phase_turns[:, None]
    turns += oracle.bent(rows.bend.astype(float).T[..., None], since_s)
    return np.asarray(level * np.exp(2j * np.pi * turns))


def rows_at(voice: Voice, place: int) -> NDArray[np.intp]:
    """Which of a voice's partials are at a place."""
    return voice._placed[place][0]


def close(found: NDArray[np.complex64], exact: NDArray[np.complex128]) -> bool:
    """Within 1 % of the loudest level."""
    return float(np.abs(found - exact).max()) < 0.01 * float(np.abs(exact).max())


@pytest.mark.parametrize(("patch", "seq"), [(library()["kalimba"], 0), (library()["flute"], 8), (SWUNG, 4)])
def test_lively_partials_have_level_and_phase_at_every_border(patch: Patch, seq: int) -> None:
    """A struck note, a breathy one and one with vibrato and tremolo, on every grid that they use."""
    sounding = sounding_of(patch, seq)
    (voice,) = sounding.voices
    factors = batch_of(sounding).factors()
    assert any(factors)
    for place, on in enumerate(grid.grids(CD)):
        if 0 not in factors[place]:
            continue
        frames, here = on.blocks.frames, rows_at(voice, place)
        found = arrays.of_parts(factors[place][0]).reshape(2, len(frames), len(here))
        exact = expected(voice, sounding.start_frame + frames)[here].T
        for ear, gains in enumerate(voice.rows.stereo[here].T):
            assert close(found[ear], exact * gains)


def test_steady_partials_have_level_and_phase_at_the_centre() -> None:
    sounding = sounding_of(library()["warm_pad"], PAD_SEQ)
    (voice,) = sounding.voices
    found, centre = batch_of(sounding).peaks()[0], sounding.start_frame + steady.centre(CD)
    assert close(found[0], expected(voice, np.array([centre]))[rows_at(voice, grid.STEADY), 0])


def test_layers_have_their_gains_at_the_ends_of_the_chunk() -> None:
    """A gain that goes from 1 to 0 takes a steady partial from its level at the start to silence."""
    plain = sounding_of(library()["warm_pad"], PAD_SEQ)
    gains: Float64Array = np.ones((2, len(LAYERS)))
    gains[1, LAYERS.index("pad")] = 0.0
    whole, fading = (batch_of(each).peaks()[0] for each in (plain, plain._replace(gains=gains)))
    along = steady.centre(CD) / CD.frames_per_chunk
    start = whole[0] - whole[1] / 1j * along
    assert np.allclose(fading[0], start * (1 - along), atol=1e-6 * np.abs(start).max())
    assert np.allclose(fading[1] / 1j, -start, atol=1e-6 * np.abs(start).max())


def test_a_batch_changes_no_bit() -> None:
    """Factors and peaks of each chunk are the same alone and next to others."""
    chunks = [
        sounding_of(library()["felt_piano"], 1, seed=1),
        Sounding(2, 0, [], CURVE, CURVE),
        sounding_of(library()["warm_pad"], PAD_SEQ, seed=3),
        sounding_of(SWUNG, 4, seed=4),
    ]
    together = batch_of(*chunks)
    factors, peaks = together.factors(), together.peaks()
    for owner, chunk in enumerate(chunks):
        alone = batch_of(chunk)
        for every, only in zip([*factors, peaks], [*alone.factors(), alone.peaks()], strict=True):
            assert (owner in every) == (0 in only)
            assert owner not in every or np.array_equal(every[owner], only[0])
