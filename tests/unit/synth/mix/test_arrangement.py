"""Arrangements: every partial once, by place and layer; unchanged parts are used again."""

from dataclasses import replace

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth import automation
from services.synth.dsp import grid
from services.synth.mix.arrangement import NOTHING, Arrangement, Arranger
from services.synth.mix.desk import LAYERS, Desk
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Harmonics, Motion
from services.synth.voices.terms import EARS
from services.synth.voices.voice import Voice
from tests.unit.synth.players import CD, patch_of, voices_of_note

CPU = "cpu"
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
    audio = sounding.voices[0].audio if sounding.voices else CD
    return Arranger(audio, CPU, Desk()).arrange(sounding, before)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_every_partial_is_there_once_by_place_and_layer(rate_hz: int) -> None:
    audio = AudioFormat(rate_hz)
    found = voices(audio)
    sounding = sounding_of(found)
    arrangement = arranged(sounding)
    assert arrangement.steady is not None
    for place, rows in enumerate(arrangement.places):
        stages = [voice.stage(sounding.start_frame, 0.5) for voice in found]
        parts = [part for each in stages if (part := each.parts[place])]
        layers = [v.layer for v, each in zip(found, stages, strict=True) if each.parts[place]]
        assert (rows is None) == (not parts)
        if rows is not None:
            assert np.array_equal(rows.tones, np.concatenate([part.rows.tones for part in parts], axis=1))
            assert np.array_equal(rows.table, np.concatenate([part.rows.table for part in parts], axis=1))
            named = [LAYERS[number] for number in rows.layers]
            assert named == [
                layer for layer, part in zip(layers, parts, strict=True) for _ in range(len(part))
            ]


def test_groups_are_the_layers_of_lively_partials() -> None:
    """One after another, each with the bases of its partials."""
    found = [*voices(CD, "kalimba"), *voices(CD, "warm_pad"), *voices(CD, "flute")]
    for rows in filter(None, arranged(sounding_of(found, 6)).lively):
        ends = [0, *(group.last for group in rows.groups)]
        assert [group.first for group in rows.groups] == ends[:-1]
        assert ends[-1] == len(rows) == rows.phasors.shape[1]
        assert [len(group.bases) // 2 for group in rows.groups] == np.diff(ends).tolist()
        assert len({group.layer for group in rows.groups}) == len(rows.groups)


def test_steady_partials_are_mixed_with_the_weights_of_the_desk() -> None:
    """The gain in each output is the sum over the ears, with the weights of the layer."""
    steady = arranged(sounding_of(voices(CD, "warm_pad", "singing_bowl"), 60)).steady
    assert steady is not None
    weights, ears = Desk.weights(LAYERS), steady.table[EARS]
    for row, layer in enumerate(steady.layers):
        assert np.allclose(steady.mixing[row], np.repeat(weights[:, layer] @ ears[:, row], 2))


def test_rows_have_the_onsets_of_their_voices() -> None:
    """The phase at any frame follows from them."""
    found = [
        *voices_of_note(library()["warm_pad"], number=1, at_s=0.5, layer="pad"),
        *voices_of_note(library()["warm_pad"], number=2, at_s=0.25, layer="pad"),
    ]
    rows = arranged(sounding_of(found)).steady
    assert rows is not None
    assert list(dict.fromkeys(rows.tones[2].tolist())) == [22_050.0, 11_025.0]


def test_moving_rows_are_listed_and_moving_or_bending_rows_are_lively() -> None:
    """A struck note moves, a note with vibrato bends, a pad in its middle does neither."""
    vibrato = patch_of(partials=Harmonics(count=4), motion=Motion(vibrato_cents=10))
    expected = (
        (library()["warm_pad"], 60, False, False),
        (library()["kalimba"], 1, True, True),
        (vibrato, 60, False, True),
    )
    for patch, seq, moves, lively in expected:
        (voice,) = voices_of_note(patch, seconds=20, layer="pad")
        rows = [each for each in arranged(sounding_of([voice], seq)).lively if each]
        assert (sum(len(each.moving) for each in rows) > 0) == moves
        assert bool(rows) == lively


def test_an_arrangement_serves_chunks_until_a_voice_changes() -> None:
    """Only chunks with the same voices in the same stages and the same range of brightness."""
    found = voices(AudioFormat(), "warm_pad")
    at = sounding_of(found, 60)
    arrangement = arranged(at)
    assert arrangement.serves(at)
    assert not arrangement.serves(sounding_of(found, 60, intensity=1.0))
    assert not arrangement.serves(sounding_of(voices(AudioFormat(), "warm_pad"), 60))
    assert arrangement.since <= at.start_frame < arrangement.until
    assert not arrangement.serves(at._replace(start_frame=int(arrangement.until)))


def test_unchanged_parts_are_taken_from_before() -> None:
    """A new note leaves the steady partials and the bases of other layers as they are; a later chunk, all."""
    audio = AudioFormat()
    pad, kalimba, flute = (voices(audio, name) for name in ("warm_pad", "kalimba", "flute"))
    before = arranged(sounding_of([*pad, *flute], LATE_SEQ))
    flutes = [replace(voice, layer="answer") for voice in voices(audio, "flute")]
    after = arranged(sounding_of([*pad, *flute, *flutes], LATE_SEQ), before)
    known, found = before.lively[-1], after.lively[-1]
    assert known is not None
    assert found is not None
    assert found.groups[0].bases is known.groups[0].bases
    assert after.steady is before.steady
    assert arranged(sounding_of([*pad, *flute, *kalimba], 1), before).steady is not before.steady
    again = arranged(sounding_of([*pad, *flute], LATE_SEQ + 1), before)
    assert again.places == before.places
    assert again.hiss is before.hiss


def test_still_and_moving_noise_are_kept_apart() -> None:
    """A stroke's noise moves while the noise of a pad next to it does not."""
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
    empty = arranged(Sounding(1, 0, [], CURVE, CURVE))
    assert (empty.places, empty.hiss) == ((None,) * grid.PLACES, None)
