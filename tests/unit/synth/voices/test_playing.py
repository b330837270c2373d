"""A note as its patch plays it: pitch, level, gate."""

import pytest

from services.synth.voices.playing import MIDDLE_C_HZ
from tests.unit.synth.players import patch_of, playing_of


@pytest.mark.parametrize(
    ("pitch", "hz"), [(69, 440.0), (57, 220.0), (60, 261.6256), (0, 8.1758), (127, 12_543.85)]
)
def test_pitches_are_equal_tempered(pitch: float, hz: float) -> None:
    """MIDI 69 is 440 Hz, twelve more are an octave."""
    assert playing_of(patch_of(), pitch=pitch).f0_hz == pytest.approx(hz, rel=1e-4)


def test_a_fixed_pitch_is_the_patchs_own() -> None:
    """A patch with a fixed frequency sounds at it, whatever the note."""
    drum = patch_of(fixed_hz=46.0)
    assert {playing_of(drum, pitch=pitch).f0_hz for pitch in (0, 36, 127)} == {46.0}


def test_octaves_count_from_middle_c() -> None:
    """Two octaves above middle C are 2."""
    assert playing_of(patch_of(fixed_hz=4 * MIDDLE_C_HZ)).octaves == pytest.approx(2.0)


def test_level_follows_velocity_pitch_and_trim() -> None:
    """Level and trim are in dB, velocity is raised to a power, pitch counts in dB per octave."""
    patch = patch_of(level_db=-20, trim_db=6, velocity_exponent=2.0, keytrack_db=-3)
    playing = playing_of(patch, pitch=84, velocity=0.5)
    assert playing.level == pytest.approx(10 ** ((-20 + 6 - 3 * 2) / 20) * 0.25, rel=1e-3)


def test_the_gate_is_open_as_long_as_the_note() -> None:
    """Frames become seconds at the channel's rate."""
    assert playing_of(patch_of(), seconds=1.25).gate_s == pytest.approx(1.25)
