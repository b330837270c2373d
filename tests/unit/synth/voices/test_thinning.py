"""A voice without its quiet partials."""

from dataclasses import replace

import numpy as np
import pytest

from services.synth.patches.library import library
from services.synth.voices.columns import Slow
from services.synth.voices.loudness import levels_db
from services.synth.voices.thinning import thinned
from services.synth.voices.voice import Voice
from tests.unit.synth.players import voices_of_note

PATCHES = ("warm_pad", "felt_piano", "church_bell", "drone", "rain")


def numbers(voice: Voice) -> set[tuple[float, float]]:
    """Frequency and phase of each partial, which identify it."""
    return set(zip(voice.rows.freq_hz.tolist(), voice.rows.phase_turns.tolist(), strict=True))


@pytest.mark.parametrize("name", PATCHES)
def test_exactly_the_partials_below_the_floor_are_left_out(name: str) -> None:
    for voice in voices_of_note(library()[name]):
        level_db = levels_db(voice.rows)
        loud = level_db >= level_db.max(initial=-np.inf) - 30
        left = thinned(voice, -30.0)
        assert numbers(left) == numbers(
            replace(voice, timing=voice.timing.where(loud), rows=voice.rows.where(loud))
        )
        assert len(left.rows) == loud.sum()


@pytest.mark.parametrize("name", PATCHES)
def test_a_lower_floor_keeps_all_that_a_higher_one_keeps(name: str) -> None:
    """The loudest partial is always kept."""
    (voice, *_) = voices_of_note(library()[name])
    kept = [numbers(thinned(voice, floor)) for floor in (0.0, -20.0, -40.0, -200.0)]
    assert kept[0] <= kept[1] <= kept[2] <= kept[3] == numbers(voice)
    assert bool(kept[0]) == bool(len(voice.rows))


@pytest.mark.parametrize("name", PATCHES)
def test_kept_partials_are_unchanged(name: str) -> None:
    """Frequency, phase, levels and the end of each partial; noise is unchanged."""
    (voice, *_) = voices_of_note(library()[name])
    left = thinned(voice, -25.0)
    place = [voice.rows.phase_turns.tolist().index(phase) for phase in left.rows.phase_turns.tolist()]
    for table in ("slow", "fast", "bend", "stereo", "freq_hz"):
        assert np.array_equal(getattr(left.rows, table), getattr(voice.rows, table)[place])
    assert (left.timing.at, left.timing.silent) == (voice.timing.at, voice.timing.silent)
    assert np.array_equal(left.timing.ends, voice.timing.ends[:, place])
    assert np.array_equal(left.timing.risen, voice.timing.risen[place])
    assert np.array_equal(left.timing.falls, voice.timing.falls[place])
    assert left.hiss is voice.hiss


def test_a_voice_with_nothing_to_leave_out_is_itself() -> None:
    """So its caches stay in use."""
    (voice, *_) = voices_of_note(library()["warm_pad"])
    assert thinned(voice, -300.0) is voice


def test_partials_above_the_cutoff_are_quiet() -> None:
    """The low-pass takes at least 15 dB off partials two octaves above the cutoff."""
    (voice, *_) = voices_of_note(library()["warm_pad"])
    slow = voice.rows.slow
    level_db, gain_db = levels_db(voice.rows), 20 * np.log10(slow[:, Slow.GAIN])
    over = slow[:, Slow.FREQ_HZ] > 4 * slow[:, Slow.CUTOFF_HZ]
    assert over.any()
    assert (level_db - gain_db)[over].max() < -15
