from itertools import pairwise
from typing import get_args

import pytest

from auralis.score.events import Layer
from services.composer.form import first_form, next_form
from services.composer.orchestra import PLAYERS, player_of
from services.synth.patches.library import library


def sections(seed, count):
    forms = [first_form(seed)]
    while len(forms) < count:
        forms.append(next_form(seed, forms[-1]))
    return forms


def test_every_layer_has_players_that_the_synth_knows():
    assert set(PLAYERS) == set(get_args(Layer))
    assert {patch for players in PLAYERS.values() for patch in players} <= set(library())


def test_everyone_hears_the_same_pads_and_piano_first():
    for seed in range(20):
        assert player_of(seed, first_form(seed), "pad") == "warm_pad"
        assert player_of(seed, first_form(seed), "melody") == "felt_piano"


@pytest.mark.parametrize("layer", ["pad", "melody", "bells", "texture"])
def test_sections_differ_and_every_player_has_its_turn(layer):
    played = [[player_of(seed, form, layer) for form in sections(seed, 30)] for seed in range(20)]
    assert {patch for piece in played for patch in piece} == set(PLAYERS[layer])
    same = sum(a == b for piece in played for a, b in pairwise(piece))
    assert same < 0.35 * 20 * 29


def test_a_section_keeps_its_players():
    form = sections(5, 4)[3]
    assert player_of(5, form, "pad") == player_of(5, form, "pad")
