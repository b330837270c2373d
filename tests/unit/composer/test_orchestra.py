from itertools import pairwise
from typing import get_args

import pytest

from auralis.score.events import Layer
from services.composer.orchestra import PLAYERS, patches_of, player_of
from services.composer.rules import RANGES
from services.synth.patches.library import library


def test_every_layer_has_players_that_the_synth_knows():
    assert set(PLAYERS) == set(get_args(Layer))
    assert {patch for layer in PLAYERS for patch in patches_of(layer)} <= set(library())


@pytest.mark.parametrize("layer", sorted(set(PLAYERS) - {"percussion"}))
def test_every_player_is_made_for_all_notes_of_its_layer(layer: Layer) -> None:
    low, high = RANGES[layer]
    for name in PLAYERS[layer]:
        patch = library()[name]
        assert patch.low <= low < high <= patch.high, name


def test_everyone_hears_the_same_pads_and_piano_first():
    for seed in range(20):
        assert player_of(seed, 0, "pad") == "warm_pad"
        assert player_of(seed, 0, "melody") == "felt_piano"


@pytest.mark.parametrize("layer", ["pad", "melody", "answer", "bells", "texture"])
def test_sections_differ_and_every_player_has_its_turn(layer):
    played = [[player_of(seed, number, layer) for number in range(30)] for seed in range(20)]
    assert {patch for piece in played for patch in piece} == set(PLAYERS[layer])
    same = sum(a == b for piece in played for a, b in pairwise(piece))
    assert same < 0.35 * 20 * 29


def test_nobody_answers_himself():
    for seed in range(20):
        for number in range(20):
            assert player_of(seed, number, "answer") != player_of(seed, number, "melody")
