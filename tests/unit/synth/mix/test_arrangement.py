"""Arrangements: every partial once, by place and layer; what has not changed is not made again."""

import numpy as np
import pytest
import torch

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth import automation
from services.synth.dsp import grid
from services.synth.mix.arrangement import NOTHING, Arrangement, arrange
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Harmonics, Motion
from services.synth.voices.voice import Voice
from tests.unit.synth.players import CD, patch_of, voices_of_note

CPU = torch.device("cpu")
LATE_SEQ = 10
CURVE = np.full(2, 0.5)


def voices(audio: AudioFormat, *names: str) -> list[Voice]:
    return [
        voice
        for number, name in enumerate(names or ("warm_pad", "felt_piano", "kalimba"))
        for voice in voices_of_note(
            library()[name], number=number, audio=audio, layer="pad" if name == "warm_pad" else "melody"
        )
    ]


def sounding_of(found: list[Voice], seq: int = LATE_SEQ, intensity: float = 0.5) -> Sounding:
    curve = np.full(2, intensity)
    start = found[0].audio.start_frame(seq)
    return Sounding(7, start, found, automation.brightness(curve), curve)


def arranged(sounding: Sounding, before: Arrangement = NOTHING) -> Arrangement:
    return arrange(sounding, CPU, before)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_every_partial_is_there_once_by_place_and_layer(rate_hz: int) -> None:
    audio = AudioFormat(rate_hz)
    found = voices(audio)
    sounding = sounding_of(found)
    arrangement = arranged(sounding)
    assert arrangement.places[-1] is not None
    for place, rows in enumerate(arrangement.places):
        parts = [voice.stage(sounding.start_frame, 0.5).parts[place] for voice in found]
        tones = [part.rows.tones for part in parts if part is not None]
        assert (rows is None) == (not tones)
        if rows is not None:
            assert np.array_equal(rows.tones, np.concatenate(tones, axis=1))
            assert rows.table.shape[1] == rows.phasors.shape[1] == len(rows)
            ends = [0, *(group.last for group in rows.groups)]
            assert [group.first for group in rows.groups] == ends[:-1]
            assert [len(group.bases) // 2 for group in rows.groups] == np.diff(ends).tolist()


def test_onsets_are_those_of_the_voices() -> None:
    """The phase at any frame follows from them."""
    found = [
        *voices_of_note(library()["warm_pad"], number=1, at_s=0.5, layer="pad"),
        *voices_of_note(library()["warm_pad"], number=2, at_s=0.25, layer="pad"),
    ]
    rows = arranged(sounding_of(found)).places[-1]
    assert rows is not None
    assert list(dict.fromkeys(rows.tones[2].tolist())) == [22_050.0, 11_025.0]


def test_what_moves_is_named_and_what_moves_or_bends_is_lively() -> None:
    """A struck note moves, one with vibrato bends, a pad in its middle does neither."""
    vibrato = patch_of(partials=Harmonics(count=4), motion=Motion(vibrato_cents=10))
    expected = (
        (library()["warm_pad"], 60, False, False),
        (library()["kalimba"], 1, True, True),
        (vibrato, 60, False, True),
    )
    for patch, seq, moves, lively in expected:
        (voice,) = voices_of_note(patch, seconds=20, layer="pad")
        places = arranged(sounding_of([voice], seq)).places
        rows = [(rows, blocks.lively) for rows, blocks in zip(places, grid.places(CD), strict=True) if rows]
        assert (sum(len(each.moving) for each, _ in rows) > 0) == moves
        assert any(is_lively for _, is_lively in rows) == lively
        assert all(is_lively for each, is_lively in rows if len(each.moving))


def test_it_serves_chunks_until_a_voice_changes() -> None:
    """The same voices in the same stages at the same brightness; nothing else."""
    found = voices(AudioFormat(), "warm_pad")
    at = sounding_of(found, 60)
    arrangement = arranged(at)
    assert arrangement.serves(at)
    assert not arrangement.serves(sounding_of(found, 60, intensity=1.0))
    assert not arrangement.serves(sounding_of(voices(AudioFormat(), "warm_pad"), 60))
    assert arrangement.since <= at.start_frame < arrangement.until
    assert not arrangement.serves(at._replace(start_frame=int(arrangement.until)))


def test_what_has_not_changed_is_taken_from_before() -> None:
    """A new note leaves the noise and the bases of other layers as they are."""
    audio = AudioFormat()
    pad, kalimba = voices(audio, "warm_pad"), voices(audio, "kalimba")
    before = arranged(sounding_of(pad, 60))
    after = arranged(sounding_of([*pad, *kalimba], 60), before)
    known, found = before.places[-1], after.places[-1]
    assert known is not None
    assert found is not None
    assert found.groups[0].bases is known.groups[0].bases
    again = arranged(sounding_of(list(pad), 61), before)
    assert again.places == before.places
    assert again.hiss is before.hiss


def test_noise_is_apart_by_what_moves() -> None:
    """A stroke's noise moves while that of the pad beside it does not."""
    audio = AudioFormat()
    pad = voices(audio, "warm_pad")
    stroke = voices_of_note(library()["brush"], number=9, at_s=5.95, layer="percussion")
    hiss = arranged(sounding_of([*pad, *stroke], 60)).hiss
    assert hiss is not None
    assert hiss.layers == ("pad", "percussion")
    assert hiss.still.shape[1] == len(hiss.still_at) > 0
    assert hiss.moving.shape[1] == len(hiss.moving_at) > 0
    assert hiss.members.shape == (2, 2, (len(hiss.still_at) + len(hiss.moving_at)) // 20)
    assert 0 <= hiss.lowest <= hiss.highest < 20


def test_nothing_sounds_in_an_empty_chunk() -> None:
    """No rows and no noise."""
    empty = arrange(Sounding(1, 0, [], CURVE, CURVE), CPU)
    assert (empty.places, empty.hiss) == ((None,) * grid.PLACES, None)
