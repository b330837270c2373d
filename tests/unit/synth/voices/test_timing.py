"""Timing: partials end when they can't be heard, and move while a straight line would be too inexact."""

import numpy as np
import pytest

from services.synth.patches.schema import Decay, Envelope, Harmonics, Modes, Motion
from services.synth.voices import levels
from services.synth.voices.build import voice_of
from services.synth.voices.terms import FAST, terms_of
from services.synth.voices.voice import BRIGHTNESSES, Voice
from tests.unit.synth.players import CD, note_of, patch_of

RATE_HZ = CD.sample_rate_hz


def voice(floor_db: float = -np.inf, seconds: float = 4.0, **parts: object) -> Voice:
    return voice_of(note_of(seconds=seconds), patch_of(**parts), 7, CD, 0, floor_db)


def level_at(found: Voice, frame: int) -> np.ndarray:
    """The envelope of each partial."""
    since = np.full((1, len(found.rows)), (frame - found.timing.at) / RATE_HZ, dtype=np.float32)
    return np.asarray(levels.fast_levels(terms_of(found.rows.table)[FAST], since)[0])


@pytest.mark.parametrize("floor_db", [-20.0, -45.0, -70.0])
def test_a_released_partial_ends_where_it_falls_below_the_floor(floor_db: float) -> None:
    """At its end its level is the floor's, within 0.1 dB."""
    found = voice(floor_db, partials=Harmonics(count=1), envelope=Envelope(attack_s=0.1, release_s=5.0))
    (end,) = found.timing.ends[2]
    loudest_db = 20 * np.log10(found.rows.slow[0, 0] * found.rows.stereo.max())
    assert 20 * np.log10(level_at(found, end)[0]) + loudest_db == pytest.approx(floor_db, abs=0.1)


def test_a_decayed_partial_ends_where_it_falls_below_the_floor() -> None:
    """A mode with a T60 of 2 s has fallen by 60 dB 2 s after it has risen."""
    modes = Modes(ratios=(1.0,), levels_db=(0.0,), t60_s=(2.0,))
    envelope = Envelope(attack_s=0.01, release_s=30.0)
    plain = voice(partials=modes, envelope=envelope, seconds=60, decay=Decay(slow_share_db=-90))
    loudest_db = float(20 * np.log10(plain.rows.slow[0, 0] * plain.rows.stereo.max()))
    found = voice(
        loudest_db - 60, partials=modes, envelope=envelope, seconds=60, decay=Decay(slow_share_db=-90)
    )
    assert found.timing.ends[2][0] / RATE_HZ == pytest.approx(2.01, abs=0.05)


def test_partials_that_never_rise_above_the_floor_are_left_out() -> None:
    """In every range of brightness."""
    found = voice(-30.0, partials=Harmonics(count=8, levels_db=(0, 0, 0, 0, -80, -80, -80, -80)))
    for brightness in BRIGHTNESSES:
        stage = found.stage(RATE_HZ, brightness)
        assert sum(len(part) for part in stage.parts if part is not None) == 4


def test_only_loud_or_fast_releases_move() -> None:
    """A quiet partial may be interpolated in a release that is too short for a loud one."""
    found = voice(
        partials=Harmonics(count=2, levels_db=(0, -40)), envelope=Envelope(attack_s=0.1, release_s=2.0)
    )
    assert found.timing.falls.tolist() == [True, False]
    slow = voice(
        partials=Harmonics(count=2, levels_db=(0, -40)), envelope=Envelope(attack_s=0.1, release_s=9.0)
    )
    assert not slow.timing.falls.any()


def test_tremolo_never_stops_moving() -> None:
    """Levels that swing at 4 Hz can't be interpolated over 100 ms."""
    found = voice(partials=Harmonics(count=2), motion=Motion(tremolo_db=3))
    assert (found.timing.risen > found.timing.silent).all()


@pytest.mark.parametrize("attack_s", [0.004, 0.4, 2.0, 5.0])
def test_interpolated_levels_err_by_less_than_60_db(attack_s: float) -> None:
    """Where partials count as not moving, a straight line between a chunk's ends is accurate enough."""
    decay = Decay(fast_db_s=25, slow_db_s=5, slow_share_db=-15)
    envelope = Envelope(attack_s=attack_s, release_s=3.0)
    found = voice(partials=Harmonics(count=3), decay=decay, envelope=envelope, seconds=8.0)
    gain = found.rows.slow[:, 0]
    for start in range(0, found.timing.silent, CD.frames_per_chunk):
        ends = [level_at(found, start), level_at(found, start + CD.frames_per_chunk)]
        middle = level_at(found, start + CD.frames_per_chunk // 2)
        error = np.abs((ends[0] + ends[1]) / 2 - middle) * gain / gain.max()
        for part in found.stage(start, 0.5).parts:
            still = part.rows.tones[0][~part.moving] if part is not None else np.zeros(0)
            assert (error[np.isin(found.rows.freq_hz, still)] < 10 ** (-60 / 20)).all()
