"""Control changes as the engine hears them, without a plan around it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.controls import Controls
from auralis.keys import KEY_NAMES, parse_key
from auralis.score.events import Automation, Chord, Section, Tempo
from services.composer.conduct import initial_state, resumed
from services.composer.form import SECTIONS
from services.composer.scale import scale_of
from tests.unit.composer.pieces import FORMAT, MODES, piece, played, unhurried

keys = st.sampled_from(KEY_NAMES)


def turned(beats, after, minutes=0.7, seed=1, before=None):
    """The beats under ``after``, following ``beats`` beats under ``before``."""
    before = before or Controls()
    first = played(initial_state(seed, 0, before), before, (beats - 0.5) / before.bpm)
    return played(first[-1].after, after, minutes)


@settings(unhurried, max_examples=50)
@given(keys, keys, st.integers(1, 40), st.sampled_from([40.0, 60.0, 100.0, 120.0]))
def test_a_key_change_sounds_no_note_that_fits_neither_key(old, new, beats, bpm):
    before, after = Controls(key=old, bpm=bpm), Controls(key=new, bpm=bpm)
    both = set(scale_of(parse_key(old))) | set(scale_of(parse_key(new)))
    borrowed = set()
    for beat in turned(beats, after, before=before):
        borrowed |= set(beat.before.chord.scale)
        if beat.after.chord.key != new or beat.after.way:
            assert {note.pitch % 12 for note in beat.pitched} <= both | borrowed


@settings(unhurried, max_examples=50)
@given(keys, keys, st.integers(1, 40))
def test_the_way_to_the_new_key_begins_at_the_next_bar_and_ends_within_eight(old, new, beats):
    if old == new:
        return
    music = turned(beats, Controls(key=new), before=Controls(key=old))
    bar = -beats % 4
    assert all(beat.after.chord == music[0].before.chord for beat in music[:bar])
    assert any(isinstance(event, Chord) for event in music[bar].events)
    arrived = next(n for n, beat in enumerate(music) if beat.after.chord.key == new)
    assert arrived - bar <= 32


@settings(unhurried, max_examples=40)
@given(keys, keys, st.integers(1, 40))
def test_the_melody_and_the_bells_are_silent_between_two_keys(old, new, beats):
    for beat in turned(beats, Controls(key=new), before=Controls(key=old)):
        if beat.after.chord.key != new:
            assert not beat.line("melody")
            assert not beat.line("bells")


def test_the_new_key_is_then_kept():
    music = turned(13, Controls(key="Ab major"), 3)
    assert {beat.after.chord.key for beat in music[40:]} == {"Ab major"}


def test_a_change_taken_back_before_the_bar_stays_in_the_key():
    away = turned(13, Controls(key="E major"))[0]
    back = played(away.after, Controls(), 1)
    assert {beat.after.chord.key for beat in back} == {"A minor"}
    assert not any(beat.after.way for beat in back)


@pytest.mark.parametrize("goal", [40.0, 120.0])
def test_a_tempo_change_is_a_ramp_over_one_bar(goal):
    music = turned(14, Controls(bpm=goal))
    lengths = [beat.after.frame - beat.before.frame for beat in music[:8]]
    ratios = [b / a for a, b in pairwise([44_100, *lengths[:4]])]
    assert ratios == pytest.approx([(60 / goal) ** 0.25] * 4, rel=1e-3)
    assert lengths[3:] == [round(44_100 * 60 / goal)] * 5
    marks = [event.bpm for beat in music[:8] for event in beat.events if isinstance(event, Tempo)]
    assert len(marks) == 4
    assert marks[-1] == goal


def test_the_intensity_is_announced_once_when_it_changes():
    music = turned(14, Controls(intensity=0.9), 0.5)
    (ramp,) = [event for beat in music for event in beat.events if isinstance(event, Automation)]
    assert ramp == Automation(music[0].before.frame, "intensity", FORMAT.frames(0.25), 0.9)


def test_sections_follow_one_another_at_changes_of_chord():
    beats = piece(minutes=25).beats
    names = [event.name for beat in beats for event in beat.events if isinstance(event, Section)]
    assert len(set(names)) >= 3
    assert set(names) <= set(SECTIONS)
    for beat in beats:
        if beat.before.form != beat.after.form:
            assert beat.before.chord_ends == beat.before.beat


@pytest.mark.parametrize("key", MODES)
def test_after_an_absence_a_new_chord_begins_on_a_new_bar(key):
    state = piece(key=key).beats[50].before
    frame = state.frame + 1_234_567
    first, *_ = played(resumed(state, frame), Controls(key=key), 0.1)
    assert first.before.frame == frame
    assert first.before.on_bar
    assert {type(event).__name__ for event in first.events} >= {"Chord", "Tempo", "Automation", "Section"}
    assert first.after.chord == state.upcoming
    assert {note.layer for note in first.notes} >= {"drone", "pad"}
