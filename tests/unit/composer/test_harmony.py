from itertools import pairwise

import pytest

from auralis.keys import parse_key
from services.composer.chords import DEGREES, TONIC
from services.composer.form import Form
from services.composer.harmony import Progression, arriving, chain_weights, draw
from services.composer.harmony_tables import FOLLOWS, OPEN_ENDS, PALETTES, TENSION
from services.composer.scene import Scene

MODES = ("major", "minor")


def scene(level=500, seed=1, number=0):
    return Scene(seed, level, Form("drift", number, 300))


def drawn(mode, count, level=500, seed=1):
    """Degrees drawn one after another, with the chords themselves."""
    progression, chords = Progression(recent=(TONIC[mode],)), []
    while len(chords) < count:
        chord, progression = draw(progression, parse_key(f"C {mode}"), scene(level, seed))
        chords.append(chord)
    return chords


@pytest.mark.parametrize("mode", MODES)
def test_the_tables_have_a_row_and_a_column_for_every_chord(mode):
    count = len(DEGREES[mode])
    assert list(FOLLOWS[mode]) == list(DEGREES[mode])
    assert all(len(row) == count and sum(row) > 0 for row in FOLLOWS[mode].values())
    assert len(TENSION[mode]) == count
    assert [degree.borrowed for degree in DEGREES[mode].values()] == [False] * 6 + [True] * 4


@pytest.mark.parametrize("mode", MODES)
def test_from_every_pair_of_chords_every_chord_can_be_reached(mode):
    degrees = list(DEGREES[mode])
    for _, _, palette in PALETTES[mode].values():
        onward = {}
        for pair in [
            (a, b) for a in degrees for b, weight in zip(degrees, FOLLOWS[mode][a], strict=True) if weight
        ]:
            weights = chain_weights(Progression(recent=pair), mode, palette, 500)
            onward[pair] = [(pair[1], n) for n, weight in zip(degrees, weights, strict=True) if weight]
        for pair in onward:
            reached, waiting = set(), [pair]
            while waiting:
                new = set(onward[waiting.pop()]) - reached
                reached |= new
                waiting += new
            assert {last for _, last in reached} == set(degrees)


@pytest.mark.parametrize("mode", MODES)
def test_what_follows_depends_on_the_chord_before_the_last(mode):
    degrees, (_, _, palette) = list(DEGREES[mode]), next(iter(PALETTES[mode].values()))
    rows = {
        tuple(chain_weights(Progression(recent=(degree, degrees[3])), mode, palette, 500))
        for degree in degrees[:3]
    }
    assert len(rows) == 3


@pytest.mark.parametrize(("mode", "first", "second"), [("major", "I", "vi"), ("minor", "VI", "i")])
def test_a_shuttle_between_two_chords_ends_after_two_turns(mode, first, second):
    recent = (first, second, first, second)
    weights = chain_weights(Progression(recent=recent), mode, (first, second), 500)
    assert weights[list(DEGREES[mode]).index(first)] == 0


@pytest.mark.parametrize("mode", MODES)
def test_no_chord_follows_itself(mode):
    assert all(a.degree != b.degree for a, b in pairwise(drawn(mode, 400)))


@pytest.mark.parametrize("mode", MODES)
def test_the_progression_returns_to_its_tonic(mode):
    degrees = [chord.degree for chord in drawn(mode, 400)]
    assert 0.15 < degrees.count(TONIC[mode]) / len(degrees) < 0.45


@pytest.mark.parametrize("mode", MODES)
def test_intensity_turns_the_progression_away_from_rest(mode):
    shares = []
    for level in (0, 1000):
        degrees = [chord.degree for seed in range(3) for chord in drawn(mode, 120, level, seed)]
        shares.append(degrees.count(TONIC[mode]) / len(degrees))
    assert shares[0] > shares[1]


@pytest.mark.parametrize("mode", MODES)
def test_a_phrase_of_chords_returns_as_a_refrain(mode):
    chords = [(chord.degree, chord.quality) for chord in drawn(mode, 120)]
    fours = [tuple(chords[n : n + 4]) for n in range(len(chords) - 3)]
    assert max(fours.count(four) for four in set(fours)) >= 3


@pytest.mark.parametrize("mode", MODES)
def test_a_pedal_is_at_peace_with_the_roots_above_it(mode):
    chords = [chord for seed in range(3) for chord in drawn(mode, 120, 0, seed)]
    pedals = [chord for chord in chords if chord.bass != chord.root]
    assert 0.1 < len(pedals) / len(chords) < 0.6
    assert all((chord.bass - chord.root) % 12 not in (1, 6, 11) for chord in pedals)


@pytest.mark.parametrize("mode", MODES)
def test_an_arrival_is_confirmed_by_the_tonic_and_borrows_nothing_for_eight_chords(mode):
    first = []
    for seed in range(60):
        progression = arriving(Progression(recent=("I",)), "IV" if mode == "major" else "VI")
        key = parse_key(f"G {mode}")
        chords = []
        for _ in range(8):
            chord, progression = draw(progression, key, scene(seed=seed))
            chords.append(chord)
        assert not any(DEGREES[mode][chord.degree].borrowed for chord in chords)
        first.append(chords[0].degree)
    assert first.count(TONIC[mode]) / len(first) >= 0.5


def test_mood_tilts_towards_bright_or_dark_chords():
    degrees, recent = list(DEGREES["major"]), ("I", "IV")
    dark, neutral, bright = (
        chain_weights(Progression(recent=recent), "major", ("I", "IV", "vi", "ii", "V"), 500, mood)
        for mood in (0, 500, 1000)
    )
    for degree, rises in (("iv", False), ("V", True)):
        place = degrees.index(degree)
        shares = [weights[place] / sum(weights) for weights in (dark, neutral, bright)]
        assert shares == sorted(shares, reverse=not rises)


@pytest.mark.parametrize("mode", MODES)
def test_a_phrase_of_chords_often_ends_on_its_tonic_or_stays_open(mode):
    ends, progression = [], Progression(recent=(TONIC[mode],))
    for _ in range(600):
        chord, progression = draw(progression, parse_key(f"C {mode}"), scene())
        if progression.ended:
            ends.append(chord.degree)
    assert (ends.count(TONIC[mode]) + sum(ends.count(degree) for degree in OPEN_ENDS[mode])) / len(ends) > 0.6


@pytest.mark.parametrize("mode", MODES)
def test_borrowed_chords_stay_few(mode):
    """So that less than a twentieth of the music sounds outside the key."""
    for seed in range(5):
        borrowed = [DEGREES[mode][chord.degree].borrowed for chord in drawn(mode, 300, 1000, seed)]
        assert sum(borrowed) / 300 < 0.16


def test_some_refrains_return_with_one_chord_replaced():
    progression, refrains, found = Progression(recent=("I",)), set(), 0
    for _ in range(600):
        before = progression
        _, progression = draw(progression, parse_key("C major"), scene())
        if not before.left and progression.queue:
            played = (progression.phrase[0], *progression.queue)
            refrains.add(played)
            found += sum(a != b for a, b in zip(played, before.refrain, strict=True)) == 1
    assert found > 5
