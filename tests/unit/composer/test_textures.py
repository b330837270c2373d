from itertools import pairwise

from tests.unit.composer.pieces import piece


def test_the_texture_never_ends_and_begins_with_the_piece():
    notes = piece().weather
    assert notes[0].at_frame == 0
    for one, other in pairwise(notes):
        assert one.at_frame < other.at_frame <= one.release_frame


def test_a_texture_overlaps_the_next_one_by_seconds_and_no_third():
    notes = piece().weather[1:]
    for first, second, third in zip(notes, notes[1:], notes[2:], strict=False):
        assert 5 * 44_100 < first.release_frame - second.at_frame < 7 * 44_100
        assert third.at_frame > first.release_frame
