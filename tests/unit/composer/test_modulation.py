import pytest

from auralis.keys import KEY_NAMES, parse_key
from services.composer.chance import Chance
from services.composer.chords import DEGREES
from services.composer.modulation import diatonic_degree, fifths_between, way_between
from services.composer.scale import scale_of

PAIRS = [(parse_key(a), parse_key(b)) for a in KEY_NAMES for b in KEY_NAMES if a != b]


def ways(old, new):
    return {way_between(old, new, Chance(1, "way"), index) for index in range(12)}


def test_every_chord_between_two_keys_belongs_to_one_of_them():
    for old, new in PAIRS:
        for *first, last in ways(old, new):
            assert all(set(chord.tones) <= set(scale_of(old)) for chord in first)
            assert set(last.tones) <= set(scale_of(new))


def test_near_keys_meet_in_a_pivot_that_belongs_to_both():
    for old, new in PAIRS:
        if abs(fifths_between(old, new)) <= 2:
            for (pivot,) in ways(old, new):
                assert set(pivot.tones) <= set(scale_of(old)) & set(scale_of(new))


def test_far_keys_meet_in_two_chords_that_keep_two_tones():
    for old, new in PAIRS:
        if 2 < abs(fifths_between(old, new)) < 6:
            for before, after in ways(old, new):
                assert len(set(before.tones) & set(after.tones)) >= 2


def test_the_way_ends_on_a_chord_that_the_new_keys_progression_knows():
    for old, new in PAIRS:
        for way in ways(old, new):
            assert diatonic_degree(new, way[-1].root) in DEGREES[new.mode]


def test_a_pivot_is_named_in_both_keys():
    (way,) = {way for way in ways(parse_key("C major"), parse_key("G major")) if way[0].root == 9}
    assert way[0].degree == "vi=ii"


@pytest.mark.parametrize(("old", "new", "fifths"), [("C major", "F# major", 6), ("A minor", "D minor", -1)])
def test_distance_is_counted_on_the_circle_of_fifths(old, new, fifths):
    assert fifths_between(parse_key(old), parse_key(new)) == fifths
