"""Noise bands: power, spectra, what the ears share, and that a frame is the same wherever one starts."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid, noise

Array = NDArray[np.float64]
ALL = range(noise.BANDS)
CHUNKS = 40


def bands(which: range, chunks: int, rate_hz: int = 44_100, seed: int = 7) -> Array:
    """``chunks`` chunks of bands: ``[ear, band, frame]``."""
    on = grid.coarse(AudioFormat(rate_hz))
    frames = on.audio.frames_per_chunk
    pieces = [noise.bands(seed, seq * frames, list(which), on) for seq in range(chunks)]
    joined = [piece.transpose(0, 2, 1, 3).reshape(2, len(which), frames) for piece in pieces]
    return np.concatenate(joined, axis=2).astype(float)


def power_db(signal: Array) -> Array:
    return np.asarray(10 * np.log10(np.mean(signal**2, axis=-1)))


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_band_has_unit_power(rate_hz: int) -> None:
    """Over 4 s every band that lies under 0.45 of the rate has a power of 1 within 1 dB."""
    inside = range(2, int((noise.centres_hz() * 2**0.5 < 0.45 * rate_hz).sum()))
    assert np.abs(power_db(bands(inside, CHUNKS, rate_hz))).max() < 1.0


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_nothing_lies_outside_a_band(rate_hz: int) -> None:
    """Half an octave from its centre a band is 60 dB down (what a finite look at it shows)."""
    band = 10
    samples = bands(range(band, band + 1), CHUNKS, rate_hz)[0, 0]
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    octaves = np.abs(np.log2(np.fft.rfftfreq(len(samples), 1 / rate_hz)[1:] / noise.centres_hz()[band]))
    assert 10 * np.log10(spectrum[1:][octaves > 0.55].max() / spectrum.max()) < -60


def test_neighbours_add_up_to_a_flat_spectrum() -> None:
    """Bands of equal density per hertz make white noise: flat within 1 dB from 200 Hz to 8 kHz."""
    gains = np.sqrt(noise.centres_hz())
    samples = np.einsum("b,bn->n", gains, bands(ALL, 100)[0])
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    freq = np.fft.rfftfreq(len(samples), 1 / 44_100)
    edges = 200 * 2 ** (np.arange(17) / 3)
    density = [spectrum[(freq >= a) & (freq < b)].mean() for a, b in pairwise(edges)]
    assert np.ptp(10 * np.log10(density)) < 2.0


def test_ears_share_what_a_diffuse_field_gives_them() -> None:
    """Left and right correlate as promised: wholly in the lows, by 0.3 in the highs."""
    left, right = bands(ALL, 100)
    found = np.mean(left * right, axis=1) / np.sqrt(np.mean(left**2, axis=1) * np.mean(right**2, axis=1))
    assert np.abs(found - noise.coherences())[4:].max() < 0.12
    assert np.allclose(found[:5], 1.0)
    assert noise.coherences()[-1] == pytest.approx(0.3)


def test_bands_are_independent() -> None:
    """Bands that do not overlap have nothing in common."""
    left = bands(range(8, 18, 2), 100)[0]
    assert np.abs(np.corrcoef(left) - np.eye(5)).max() < 0.05


def test_a_frame_is_the_same_wherever_one_starts() -> None:
    """A chunk that begins in the middle of another one holds the same samples."""
    on = grid.coarse(AudioFormat())
    frames = on.audio.frames_per_chunk
    middle = on.block * on.divisor * 7
    whole = bands(ALL, 2)
    late = noise.bands(7, middle, list(ALL), on).transpose(0, 2, 1, 3).reshape(2, noise.BANDS, frames)
    assert np.array_equal(late.astype(float), whole[:, :, middle : middle + frames])


def test_some_bands_are_those_of_all() -> None:
    """Leaving bands out changes none of the others."""
    assert np.array_equal(bands(range(5, 9), 2), bands(ALL, 2)[:, 5:9])


def test_another_seed_is_another_noise() -> None:
    """Channels hear noises that have nothing in common."""
    one, other = bands(range(12, 18), 40)[0], bands(range(12, 18), 40, seed=8)[0]
    assert np.abs(np.mean(one * other, axis=1)).max() < 0.1


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_top_is_no_denser_where_the_rate_cuts_it_off(rate_hz: int) -> None:
    """The highest band has less power than 1, and as much per hertz as at any other rate."""
    samples = bands(range(noise.BANDS - 1, noise.BANDS), CHUNKS, rate_hz)[0, 0]
    spectrum = np.abs(np.fft.rfft(samples)) ** 2 / len(samples) / rate_hz
    freq = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    top = (freq > 18_000) & (freq < 20_000)
    shape = np.cos(np.pi * np.log2(freq[top] / noise.centres_hz()[-1])) ** 2
    expected = np.mean(shape) / (2 * 0.3493 * noise.centres_hz()[-1])
    assert 10 * np.log10(spectrum[top].mean() / expected) == pytest.approx(0.0, abs=0.5)


def test_shaping_weighs_and_moves() -> None:
    """Gains at the blocks' borders are interpolated between them, band by band and ear by ear."""
    on = grid.coarse(AudioFormat())
    draw = np.random.default_rng(3)
    which = [6, 11, 15]
    gains = draw.uniform(0, 1, (2, 2, len(which), on.blocks + 1))
    found = noise.shape(torch.from_numpy(gains).float(), torch.from_numpy(noise.bands(7, 0, which, on)))
    block = on.block * on.divisor
    frames = np.arange(on.audio.frames_per_chunk)
    borders = np.arange(on.blocks + 1) * block
    source = np.stack([bands(range(band, band + 1), 1)[:, 0] for band in which], axis=1)
    for layer in range(2):
        for ear in range(2):
            moved = [np.interp(frames, borders, gains[layer, ear, b]) for b in range(len(which))]
            expected = np.sum(np.array(moved) * source[ear], axis=0)
            assert np.abs(found[layer, ear].numpy() - expected).max() < 1e-4
