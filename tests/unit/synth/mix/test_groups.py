"""Groups: the partials of a layer, whole registers of them."""

import numpy as np
import pytest
import torch

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import additive, grid
from services.synth.dsp.grid import Grid
from services.synth.mix import levels
from services.synth.mix.groups import Group, assemble
from services.synth.patches.library import library
from services.synth.voices.voice import Voice
from tests.unit.synth.players import voices_of_note

CPU = torch.device("cpu")
LATE_FRAME = 44_100


def voices(audio: AudioFormat) -> list[Voice]:
    return [
        voice
        for number, name in enumerate(("warm_pad", "felt_piano", "kalimba"))
        for voice in voices_of_note(library()[name], number=number, audio=audio)
    ]


def group_of(found: list[Voice], on: Grid) -> Group:
    return assemble(found, [voice.on(on, LATE_FRAME) for voice in found], on, CPU)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("of", [grid.full, grid.coarse])
def test_every_partial_is_there_in_order_and_rows_are_filled_up(of, rate_hz) -> None:
    on = of(AudioFormat(rate_hz))
    found = voices(on.audio)
    group, parts = group_of(found, on), [voice.on(on, LATE_FRAME) for voice in found]
    count = sum(len(part.rows) for part in parts)
    assert len(group) % additive.ROWS == 0
    assert count <= len(group) < count + additive.ROWS
    assert group.freq_hz[:count].tolist() == [hz for part in parts for hz in part.rows.freq_hz.tolist()]
    for table in (group.slow, group.fast, group.bend):
        assert table.shape[1] == len(group)
        assert table.is_contiguous()
    assert len(group.turns) == len(group.bases) == len(group.at_frame) == len(group)


@pytest.mark.parametrize(("of", "start_frame"), [(grid.full, 0), (grid.coarse, LATE_FRAME)])
def test_what_fills_up_is_silent_and_finite(of, start_frame) -> None:
    """At any time, intensity and brightness."""
    on = of(AudioFormat())
    (piano,) = voices_of_note(library()["felt_piano"])
    part = piano.on(on, start_frame)
    group, count = assemble([piano], [part], on, CPU), len(part.rows)
    assert 0 < count < len(group)
    since = torch.tensor([[-1.0], [1e6]]).expand(2, len(group))
    bright = torch.tensor([[0.0], [1.0]]).expand(2, len(group))
    level = levels.slow_levels(group.slow, since, bright, bright) * levels.fast_levels(group.fast, since)
    bent = levels.bent_turns(group.bend, since)
    assert not level[:, count:].any()
    assert torch.isfinite(bent[:, count:]).all()
    assert not group.bases[count:].any()


def test_a_group_is_that_of_the_very_same_parts_in_their_order() -> None:
    on = grid.coarse(AudioFormat())
    found = voices(on.audio)
    parts = [voice.on(on, LATE_FRAME) for voice in found]
    group = assemble(found, parts, on, CPU)
    assert group.made_of(parts)
    assert group.made_of([voice.on(on, LATE_FRAME + 4410) for voice in found])
    assert not group.made_of(parts[::-1])
    assert not group.made_of(parts[:-1])
    assert not group.made_of([voice.on(on, LATE_FRAME) for voice in voices(on.audio)])


def test_onsets_are_those_of_the_voices() -> None:
    """The phase at any frame follows from them."""
    on = grid.coarse(AudioFormat())
    found = [
        *voices_of_note(library()["warm_pad"], number=1, at_s=0.5),
        *voices_of_note(library()["warm_pad"], number=2, at_s=0.25),
    ]
    group = group_of(found, on)
    first = len(found[0].on(on, LATE_FRAME).rows)
    second = len(found[1].on(on, LATE_FRAME).rows)
    assert set(group.at_frame[:first].tolist()) == {22_050}
    assert set(group.at_frame[first : first + second].tolist()) == {11_025}
    assert np.array_equal(group.phase_turns[:first], found[0].on(on, LATE_FRAME).rows.phase_turns)
