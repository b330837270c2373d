"""Onsets, flux and repeats in synthetic music whose events are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.gates import structure

RATE_HZ = 44_100


def pluck(freq_hz: float, seconds: float = 0.5) -> NDArray:
    """Three partials that begin together and decay."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    partials = [np.sin(2 * np.pi * freq_hz * n * t) / n for n in (1, 2, 3)]
    return 0.2 * np.sum(partials, axis=0) * np.exp(-t / 0.12) * np.minimum(t / 0.003, 1)


def melody(notes: list[tuple[float, float]], seconds: float) -> NDArray:
    """Plucks of ``(start in s, frequency)`` over a pad that swells, in both ears, with a little noise."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pad = 0.05 * (0.6 + 0.4 * np.sin(2 * np.pi * 0.2 * t)) * np.sin(2 * np.pi * 130.8 * t)
    mix = pad + 1e-4 * np.random.default_rng(2).standard_normal(t.size)
    for start_s, freq_hz in notes:
        start = int(start_s * RATE_HZ)
        sound = pluck(freq_hz)[: mix.size - start]
        mix[start : start + sound.size] += sound
    return np.stack([mix, mix])


def random_notes(seed: int, seconds: float) -> list[tuple[float, float]]:
    """Three notes a second of a pentatonic scale, at random times."""
    rng = np.random.default_rng(seed)
    degrees = rng.choice([0, 2, 4, 7, 9, 12, 14, 16], int(seconds * 3))
    starts = np.sort(rng.uniform(0, seconds - 0.5, degrees.size))
    return [
        (float(at), float(261.6 * 2 ** (degree / 12))) for at, degree in zip(starts, degrees, strict=True)
    ]


def test_every_pluck_is_an_onset_and_nothing_else() -> None:
    """About two per second, irregular, over a swelling pad: found within 30 ms."""
    rng = np.random.default_rng(4)
    starts = [0.7 + 0.5 * step + float(rng.uniform(0, 0.15)) for step in range(18)]
    audio = melody([(at, 220 * 2 ** (step % 7 / 12)) for step, at in enumerate(starts)], 10)
    found = structure.onsets_s(audio, RATE_HZ)
    assert found == pytest.approx(starts, abs=0.03)
    assert structure.onset_density(audio, RATE_HZ) == pytest.approx(1.8)


@pytest.mark.parametrize("kind", ["swell", "vibrato", "noise"])
def test_sounds_without_onsets_have_none(kind: str) -> None:
    """A pad that swells within two seconds, vibrato of ±20 cents, steady noise."""
    t = np.arange(8 * RATE_HZ) / RATE_HZ
    if kind == "swell":
        sound = (
            0.2
            * np.sin(np.pi * np.clip((t - 3) / 4, 0, 0.5)) ** 2
            * sum(np.sin(2 * np.pi * 110 * n * t) / n for n in range(1, 20))
        )
    elif kind == "vibrato":
        phase = 440 * t + 440 * 0.0116 / (2 * np.pi * 5) * np.sin(2 * np.pi * 5 * t)
        sound = sum(0.2 * np.sin(2 * np.pi * n * phase) / n for n in range(1, 12))
    else:
        sound = 0.05 * np.random.default_rng(1).standard_normal(t.size)
    inner = [at for at in structure.onsets_s(np.stack([sound, sound]), RATE_HZ) if 0.1 < at < 7.9]
    assert inner == []


def test_peaks_far_from_all_events_are_unexplained() -> None:
    """An event within 50 ms before or after explains a peak."""
    assert structure.unexplained_s([0.1, 1.04, 2.2, 2.96], [1.0, 3.0]) == [0.1, 2.2]
    assert structure.unexplained_s([0.5], []) == [0.5]


@pytest.mark.parametrize("offset_s", [0.0, 0.025])
def test_a_repeat_is_found_where_it_is(offset_s: float) -> None:
    """Eight seconds are repeated 20 s later, at worst halfway between two hops, with different noise."""
    notes = random_notes(1, 40)
    phrase = [(at, freq_hz) for at, freq_hz in notes if 5 <= at < 13.5]
    others = [(at, freq_hz) for at, freq_hz in notes if not 24.5 <= at < 34]
    audio = melody(others + [(at + 20 + offset_s, freq_hz) for at, freq_hz in phrase], 40)
    repeat = structure.closest_repeat(audio, RATE_HZ, 8)
    assert repeat.difference < 0.2
    assert repeat.again_s - repeat.first_s == pytest.approx(20 + offset_s, abs=0.06)
    assert 4.5 < repeat.first_s < 6


def test_other_music_of_the_same_scale_is_no_repeat() -> None:
    """Random notes of one pentatonic scale over one pad: even the closest 8 s differ in 30 % of the bits."""
    assert structure.closest_repeat(melody(random_notes(3, 40), 40), RATE_HZ, 8).difference > 0.3
