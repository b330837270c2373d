from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auralis.keys import parse_key
from services.composer.chance import Chance
from services.composer.pitches import HIGHEST, LOWEST, WIDEST, Slot, draw_lines
from services.composer.scale import diatonic_number, pitches_of, scale_of
from tests.unit.composer.pieces import unhurried

C_MAJOR = scale_of(parse_key("C major"))
WHITE = pitches_of(C_MAJOR, LOWEST, HIGHEST)
BLACK = tuple(pitch for pitch in range(LOWEST, HIGHEST + 1) if pitch not in WHITE)


def slot(step=None, black=0):
    return Slot(
        dict.fromkeys(WHITE, 100) | (dict.fromkeys(BLACK, black) if black else {}),
        frozenset(BLACK if black else ()),
        C_MAJOR,
        step,
    )


def drawn(slots, seed):
    return draw_lines(slots, Chance(seed, "line"), 0, 1)[0]


lines = st.builds(
    lambda notes, seed: drawn([slot(), *[slot(black=400)] * (notes - 2), slot()], seed),
    st.integers(3, 7),
    st.integers(0, 10_000),
)


@unhurried
@given(lines)
def test_no_interval_is_wider_than_a_sixth_or_a_tritone(line):
    for low, high in pairwise(line):
        assert abs(high - low) <= WIDEST
        assert abs(high - low) != 6


@unhurried
@given(lines)
def test_a_leap_is_never_followed_by_another_one_the_same_way(line):
    for a, b, c in zip(line, line[1:], line[2:], strict=False):
        if abs(b - a) >= 5:
            assert (c - b) * (b - a) <= 0 or abs(c - b) <= 2


@unhurried
@given(lines)
def test_a_foreign_tone_is_entered_and_left_by_step_between_tones_of_the_scale(line):
    for a, b, c in zip(line, line[1:], line[2:], strict=False):
        if b in BLACK:
            assert a in WHITE
            assert c in WHITE
            assert 1 <= abs(b - a) <= 2
            assert 1 <= abs(c - b) <= 2


def test_a_leap_is_mostly_followed_by_a_step_back():
    back = total = 0
    for seed in range(300):
        line = drawn([slot()] * 5, seed)
        for a, b, c in zip(line, line[1:], line[2:], strict=False):
            if abs(b - a) >= 5:
                total += 1
                back += (c - b) * (b - a) < 0 and abs(c - b) <= 2
    assert back / total > 0.5


def test_a_motif_is_followed_nearly_always():
    wanted = (1, 1, -2)
    kept = 0
    for seed in range(100):
        line = drawn([slot(), *(slot(step) for step in wanted)], seed)
        numbers = [diatonic_number(pitch, C_MAJOR) for pitch in line]
        kept += tuple(b - a for a, b in pairwise(numbers)) == wanted
    assert kept >= 85


def test_several_lines_are_drawn_independently():
    lines = draw_lines([slot()] * 5, Chance(1, "line"), 0, 20)
    assert lines[0] == drawn([slot()] * 5, 1)
    assert len(set(lines)) > 10
