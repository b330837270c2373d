import itertools

import pytest

from services.composer.percussion import euclid
from tests.unit.composer.pieces import FORMAT, piece

LEVELS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def strokes(intensity, bpm=60.0, minutes=10):
    return piece(bpm=bpm, intensity=intensity, minutes=minutes).line("percussion")


@pytest.mark.parametrize(
    ("hits", "steps", "pattern"),
    [
        (3, 16, "x.....x....x...."),
        (3, 14, "x....x....x..."),
        (2, 16, "x.......x......."),
        (4, 16, "x...x...x...x..."),
    ],
)
def test_euclid_spreads_hits_as_evenly_as_can_be(hits, steps, pattern):
    assert "".join("x" if euclid(hits, steps, step) else "." for step in range(steps)) == pattern


def test_there_is_none_at_intensity_0():
    assert strokes(0.0) == []


@pytest.mark.parametrize("bpm", [50.0, 70.0, 100.0])
def test_what_sounds_at_one_intensity_sounds_at_every_higher_one(bpm):
    """Within the first section, without the cymbal, which rises into chords that vary with intensity."""
    found = [
        {
            (n.patch, n.at_frame * 4 * bpm // (60 * 44_100))
            for n in strokes(level, bpm, 3)
            if n.patch != "swell"
        }
        for level in LEVELS
    ]
    for fewer, more in itertools.pairwise(found):
        moved = {(patch, slot + by) for patch, slot in more for by in (0, 1)}
        assert fewer <= moved
        assert len(fewer) < len(more)


def test_at_the_highest_intensity_it_is_a_slow_pulse():
    music = strokes(1.0, minutes=4)
    assert 40 < len(music) / 4 < 110
    kicks = [note.at_frame / 44_100 for note in music if note.patch == "soft_kick"]
    gaps = [round(b - a) for a, b in itertools.pairwise(kicks)]
    assert max(set(gaps), key=gaps.count) == 2


def test_a_minute_has_no_more_strokes_at_a_fast_tempo():
    counts = [len(strokes(1.0, bpm, 6)) for bpm in (70.0, 120.0)]
    assert counts[1] < 1.15 * counts[0]


def test_it_rests_for_a_bar_or_two_every_half_minute():
    frames = [note.at_frame for note in strokes(1.0, minutes=6)]
    rests = [b - a for a, b in itertools.pairwise(frames) if b - a > FORMAT.frames(3.9)]
    assert 8 <= len(rests) <= 14


def test_every_drum_has_its_stroke():
    assert {note.patch for note in strokes(1.0)} == {
        "brush",
        "rim",
        "soft_kick",
        "shaker",
        "low_tom",
        "swell",
    }
