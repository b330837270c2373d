"""The safety net below the composer: what it lets pass, repairs and drops."""

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from auralis.score.events import Chord, Note
from services.composer.metrics import ComposerMetrics
from services.composer.rules import RULES, checked
from tests.unit.composer.pieces import MODES, piece

BEAT = next(beat for beat in piece().changes if beat.before.beat > 20)
CHORD = BEAT.after.chord
INSIDE = next(pitch for pitch in range(60, 72) if pitch % 12 in CHORD.tones)
OUTSIDE = next(pitch for pitch in range(60, 72) if pitch % 12 not in CHORD.scale)
NOTE = Note(BEAT.before.frame + 10, 1, 44_100, float(INSIDE), 0.5, "felt_piano", "melody")


def held(*events):
    return checked(events, BEAT.before, replace(BEAT.after, melody=replace(BEAT.after.melody, phrase=())))


@pytest.mark.parametrize("key", MODES)
def test_what_the_composer_writes_passes_as_it_is(key):
    for beat in piece(2, key, intensity=1.0).beats:
        assert checked(beat.events, beat.before, beat.after) == (beat.events, ())


def test_a_tone_outside_the_chords_scale_is_dropped():
    assert held(replace(NOTE, pitch=float(OUTSIDE))) == ((), ("tone",))


def test_but_not_one_that_a_step_leads_on_from():
    passing = replace(NOTE, pitch=float(OUTSIDE))
    step = next(step for step in (-1, 1, 2) if (OUTSIDE + step) % 12 in CHORD.scale)
    after = replace(NOTE, id=2, at_frame=NOTE.at_frame + 5, pitch=float(OUTSIDE + step))
    assert held(passing, after) == ((passing, after), ())


def test_percussion_has_no_tone():
    drum = replace(NOTE, layer="percussion", patch="soft_kick", pitch=36.0)
    assert held(drum) == ((drum,), ())


def test_a_pitch_outside_its_layer_moves_by_octaves():
    assert held(replace(NOTE, pitch=NOTE.pitch + 36)) == ((NOTE,), ("range",))


def test_a_patch_that_the_layer_does_not_have_is_replaced():
    assert held(replace(NOTE, patch="kazoo")) == ((NOTE,), ("patch",))


def test_a_note_without_end_is_cut():
    (note,), broken = held(replace(NOTE, duration_frames=44_100 * 4000))
    assert broken == ("length",)
    assert note.duration_frames == 128 * 44_100


def test_an_event_outside_its_beat_is_moved_into_it():
    (note,), broken = held(replace(NOTE, at_frame=BEAT.before.frame - 5))
    assert (note.at_frame, broken) == (BEAT.before.frame, ("frame",))


def test_a_voicing_keeps_the_tones_of_its_chord():
    mark = next(event for event in BEAT.events if isinstance(event, Chord))
    wrong = replace(mark, pitches=(*mark.pitches, float(OUTSIDE)))
    (mended,), broken = held(wrong)
    assert broken == ("chord",)
    assert set(mended.pitches) == set(mark.pitches)


def test_what_was_broken_is_counted_by_rule():
    registry = CollectorRegistry()
    metrics = ComposerMetrics(registry)
    assert {
        registry.get_sample_value("auralis_composer_rejected_total", {"rule": rule}) for rule in RULES
    } == {0}
    metrics.count_rejected(("tone", "tone", "patch"))
    assert registry.get_sample_value("auralis_composer_rejected_total", {"rule": "tone"}) == 2
