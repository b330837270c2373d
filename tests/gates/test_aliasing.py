"""The gate of aliasing: nothing but harmonics is heard of a note with a fundamental of 7 kHz."""

import json

import numpy as np
import pytest
from scipy import signal

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from examples import calibrate
from services.synth.patches.library import parse

FUNDAMENTAL_HZ = 7000.0
SAW = {
    "description": "A bare saw.",
    "family": "lead",
    "level_db": -12,
    "low": 0,
    "high": 127,
    "fixed_hz": FUNDAMENTAL_HZ,
    "partials": {"kind": "harmonics", "count": 24, "exponent": 1.0},
    "envelope": {"attack_s": 0.01, "release_s": 1.0},
}


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_high_saw_is_its_harmonics_and_nothing_else(rate_hz: int) -> None:
    """Its harmonics below 0.45 of the rate sound; everything else is below -90 dB of the fundamental."""
    audio, patch = AudioFormat(rate_hz), parse("saw", json.dumps(SAW).encode())
    notes = calibrate.notes_of("saw", patch, [calibrate.Stroke(0.0, 0.0, 10.0)], audio)
    heard = calibrate.rendered(calibrate.voices(patch, notes, audio), range(5, 25), audio)[0]
    window = signal.get_window("blackmanharris", heard.size)
    level_db = 20 * np.log10(np.abs(np.fft.rfft(heard * window)) + 1e-12)
    freq_hz = np.fft.rfftfreq(heard.size, 1 / rate_hz)
    distance_hz = np.abs(freq_hz - FUNDAMENTAL_HZ * np.round(freq_hz / FUNDAMENTAL_HZ))
    harmonic = (distance_hz < 10) & (freq_hz > 100)
    assert level_db[(freq_hz > 13_000) & harmonic].max() > level_db.max() - 12
    assert level_db[~harmonic].max() < level_db.max() - 90
