"""Stacks: the rows of all channels once, with their owners."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import additive
from services.synth.mix.arrangement import NOTHING, Arrangement, Arranger
from services.synth.mix.desk import Flat
from services.synth.mix.sounding import Sounding
from services.synth.mix.stack import Stack
from services.synth.patches.library import library
from tests.unit.synth.players import voices_of_note

CPU, CD = "cpu", AudioFormat()
HALF = np.full(2, 0.5)


def arrangement(*names: str, rate_hz: int = 44_100, seq: int = 4) -> Arrangement:
    audio = AudioFormat(rate_hz)
    voices = [
        voice
        for number, name in enumerate(names)
        for voice in voices_of_note(library()[name], number=number, audio=audio, layer="pad")
    ]
    sounding = Sounding(1, audio.start_frame(seq), voices, HALF, HALF)
    return Arranger(audio, CPU, Flat()).arrange(sounding)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_every_row_is_there_once_in_its_place(rate_hz: int) -> None:
    """With its terms, its tone and its owner."""
    channels = [
        arrangement("warm_pad", "kalimba", rate_hz=rate_hz),
        NOTHING,
        arrangement("choir", "felt_piano", rate_hz=rate_hz),
    ]
    stack = Stack(channels, AudioFormat(rate_hz), CPU)
    for number, place in enumerate(stack.places):
        found = {share.owner: share for share in place.shares}
        assert set(found) == {i for i, each in enumerate(channels) if each.places[number] is not None}
        for owner, share in found.items():
            rows = channels[owner].places[number]
            at = slice(place.rows.start + share.at.start, place.rows.start + share.at.stop)
            assert share.rows is rows
            assert rows is not None
            assert np.array_equal(stack.table[:, at], rows.table)
            assert np.array_equal(stack.tones[:, at], rows.tones)
            assert set(stack.owners[at].tolist()) == {owner}


def test_places_are_filled_up_with_silence() -> None:
    """To whole registers; all of them together to an odd number of :data:`additive.ROWS`."""
    for names in (("warm_pad",), ("choir", "kalimba"), ("felt_piano", "bowed", "flute"), ()):
        stack = Stack([arrangement(*names)], CD, CPU)
        sizes = [place.rows.stop - place.rows.start for place in stack.places]
        assert all(size % additive.ROWS == 0 for size in sizes)
        assert sum(sizes) == stack.table.shape[1] == stack.tones.shape[1] == len(stack.owners)
        assert sum(sizes) % (2 * additive.ROWS) == additive.ROWS
        for place in stack.places:
            real = sum(len(share.rows) for share in place.shares)
            silent = stack.table[:, place.rows][:, real:]
            assert silent.shape[1] == place.missing
            assert not silent.any()


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_grids_with_the_same_borders_are_one_strip(rate_hz: int) -> None:
    """The full grid is a strip by itself; a strip's phasors are in the order of the rows."""
    channels = [arrangement("choir", "kalimba", rate_hz=rate_hz), arrangement("flute", rate_hz=rate_hz)]
    stack = Stack(channels, AudioFormat(rate_hz), CPU)
    assert [strip.places for strip in stack.strips] == [stack.places[:1], stack.places[1:3]]
    strip = stack.strips[1]
    assert strip
    assert strip.phasors.shape == (len(strip.blocks.frames), strip.rows.stop - strip.rows.start)
    for place in strip.places:
        for first, rows in place.lively:
            at = first - strip.rows.start
            assert np.array_equal(strip.phasors[:, at : at + len(rows)], rows.phasors)


def test_moving_rows_of_all_channels_are_found() -> None:
    """With two struck notes in two channels."""
    channels = [arrangement("kalimba", seq=0), arrangement("felt_piano", seq=0)]
    stack = Stack(channels, CD, CPU)
    rows = [each.lively[0] for each in channels]
    assert rows[0] is not None
    assert rows[1] is not None
    expected = {*rows[0].moving.tolist(), *(rows[1].moving + len(rows[0])).tolist()}
    moving = stack.strips[0].moving
    assert set(moving.tolist()) == expected
    assert len(moving) % additive.ROWS == 0
    assert not stack.strips[1]
    assert len(stack.strips[1].moving) == 0


def test_a_stack_matches_only_its_own_arrangements() -> None:
    one, other = arrangement("warm_pad"), arrangement("warm_pad")
    stack = Stack([one, other], CD, CPU)
    assert stack.of([one, other])
    assert not any(stack.of(each) for each in ([one], [other, one], [one, other, other], []))
    assert Stack([], CD, CPU).of([])
