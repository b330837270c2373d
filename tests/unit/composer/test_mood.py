"""Mood: the same piece darker or brighter."""

from statistics import mean

import pytest

from auralis.controls import Controls
from auralis.keys import parse_key
from services.composer.chords import DEGREES
from services.composer.conduct import initial_state
from services.composer.harmony_tables import MOOD
from tests.unit.composer.pieces import FORMAT, MODES, SEEDS, Piece, played


def valence(key, mood):
    """How bright the chords of ten minutes from each of three seeds are, in hundredths."""
    mode = parse_key(key).mode
    brightness = dict(zip(DEGREES[mode], MOOD[mode], strict=True))
    controls = Controls(key=key, mood=mood)
    pieces = [Piece(played(initial_state(seed, 0, controls), controls, 10)) for seed in SEEDS]
    return mean(brightness[chord.degree] for piece in pieces for chord in piece.chords)


@pytest.mark.parametrize("key", MODES)
def test_chords_are_brighter_the_higher_the_mood_is(key):
    dark, neutral, bright = (valence(key, mood) for mood in (0.0, 0.5, 1.0))
    assert dark < neutral < bright


def test_mood_is_handed_on_in_thousandths():
    state = initial_state(1, 0, Controls())
    assert state.scene(Controls(mood=0.25), FORMAT.sample_rate_hz).mood == 250
