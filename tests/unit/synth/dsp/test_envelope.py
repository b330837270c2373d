"""Envelopes: facts a musician would check."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from services.synth.dsp import envelope

T = torch.tensor


def test_attack_runs_from_silence_to_full() -> None:
    """Before the onset there is nothing; after the attack the level is 1."""
    level = envelope.attack(T([-1.0, 0.0, 1.0, 2.0, 9.0]), T(2.0))
    assert level.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_release_is_untouched_before_and_silent_after() -> None:
    """While the gate is open the release is exactly 1; after its time it is exactly 0."""
    level = envelope.release(T([-5.0, 0.0, 3.0, 4.0]), T(3.0))
    assert level.tolist() == [1.0, 1.0, 0.0, 0.0]


@given(st.floats(0.001, 20.0), st.floats(0.0, 1.0))
def test_release_falls(release_s: float, share: float) -> None:
    """The level never rises during a release."""
    at = T([share * release_s, share * release_s + 0.01 * release_s])
    before, after = envelope.release(at, T(release_s)).tolist()
    assert after <= before


def test_decay_loses_60_db_in_its_t60() -> None:
    """A partial that decays 60 dB a second is at -60 dB after one second, wherever it is asked."""
    level = envelope.two_stage_decay(T([1.0]), T(60.0), T(60.0), T(0.3))
    assert abs(level.item() - 1e-3) < 1e-6


def test_two_stages_meet_the_slow_one() -> None:
    """Long after the attack only the slow stage remains."""
    level = envelope.two_stage_decay(T([10.0]), T(60.0), T(3.0), T(0.1))
    assert abs(level.item() - 0.1 * 10 ** (-30 / 20)) < 1e-5


def test_wander_stays_within_its_depth() -> None:
    """The slow movement of 2 dB reaches +2 and -2 dB and no further."""
    at = torch.linspace(0, 100, 10_001)
    gain_db = 20 * torch.log10(envelope.wander(at, T(0.1), T(0.3), T(2.0)))
    assert 1.99 < gain_db.max() < 2.001
    assert -2.001 < gain_db.min() < -1.99


def test_low_pass_is_12_db_an_octave() -> None:
    """At the cut-off -3 dB, four octaves above it -48 dB."""
    gain_db = 20 * torch.log10(envelope.low_pass(T([1000.0, 16_000.0]), T(1000.0)))
    assert abs(gain_db[0].item() + 3.01) < 0.01
    assert abs(gain_db[1].item() + 48.16) < 0.1
