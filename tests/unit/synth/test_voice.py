"""Notes become partials."""

import msgspec
import numpy as np
import pytest

from auralis.audio import AudioFormat
from services.synth.dsp.grid import Grid
from services.synth.patch import PATCHES
from services.synth.voice import Column, build_voice, frequency_hz
from tests.unit.synth.scores import PATCH_OF, note

GRID = Grid(AudioFormat())
LAYERS = sorted(PATCH_OF)


def test_concert_pitch() -> None:
    """A4 is 440 Hz, an octave doubles."""
    assert frequency_hz(69) == 440.0
    assert frequency_hz(81) == pytest.approx(880.0)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("pitch", [24, 60, 108, 127])
def test_partials_stay_under_the_limit(layer: str, pitch: int) -> None:
    """No partial lies above 0.45 of the sample rate, at any pitch."""
    made = note(1, 0.0, pitch, layer)
    voice = build_voice(made, PATCHES[made.patch], 1, GRID)
    assert np.all(voice.freq_hz < 0.45 * 44_100)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_voice_is_of_its_note_and_seed(layer: str) -> None:
    """The same note in the same channel is the same voice; another id sounds otherwise."""
    made, other = note(1, 0.0, 60, layer), note(2, 0.0, 60, layer)
    patch = PATCHES[made.patch]
    first, again = build_voice(made, patch, 5, GRID), build_voice(made, patch, 5, GRID)
    assert np.array_equal(first.table, again.table)
    assert np.array_equal(first.phase_turns, again.phase_turns)
    assert not np.array_equal(first.phase_turns, build_voice(other, patch, 5, GRID).phase_turns)


def test_a_gate_that_closes_later_changes_nothing_before() -> None:
    """A held note whose end becomes known keeps its partials and phases."""
    short, long = note(-3, 1.0, 60, seconds=2), note(-3, 1.0, 60, seconds=2000)
    a, b = (build_voice(n, PATCHES["warm_pad"], 5, GRID) for n in (short, long))
    columns = [c for c in Column if c is not Column.GATE_S]
    assert np.array_equal(a.table[:, columns], b.table[:, columns])
    assert np.array_equal(a.phase_turns, b.phase_turns)


def test_low_partials_stay_in_the_middle() -> None:
    """Under 80 Hz both channels get the same."""
    made = note(1, 0.0, 28, "drone")
    voice = build_voice(made, PATCHES["drone"], 1, GRID)
    low = voice.bases[voice.freq_hz < 80]
    assert len(low)
    assert np.allclose(low[:, :, 0], low[:, :, 1])


def test_velocity_is_loudness() -> None:
    """A harder note is louder in every partial."""
    soft = note(1, 0.0, 60, "melody")
    hard = msgspec.structs.replace(soft, velocity=0.9)
    tables = [build_voice(n, PATCHES["felt_keys"], 1, GRID).table[:, Column.GAIN] for n in (soft, hard)]
    assert np.all(tables[1] > tables[0])


@pytest.mark.parametrize("layer", LAYERS)
def test_voices_end(layer: str) -> None:
    """Every voice is silent some time after its gate has closed."""
    made = note(1, 2.0, 60, layer, seconds=3)
    voice = build_voice(made, PATCHES[made.patch], 1, GRID)
    assert made.at_frame < voice.silent_frame <= made.release_frame + 44_100 * PATCHES[made.patch].release_s
