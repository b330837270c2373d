from itertools import pairwise

import pytest

from services.composer.form import LAYERS, SECTIONS, Form, first_form, next_form
from services.composer.scene import Scene, turns


def forms(seed, count=30):
    found = [first_form(seed)]
    while len(found) < count:
        found.append(next_form(seed, found[-1]))
    return found


def parts(form, second, level=500):
    return [Scene(1, level, form, second).part(layer) for layer in LAYERS]


def test_a_piece_begins_with_all_layers_of_its_first_section():
    form = first_form(1)
    assert [bool(part) for part in parts(form, 0)] == [SECTIONS["drift"].level(layer) > 0 for layer in LAYERS]


def test_one_layer_turns_every_twenty_to_thirty_five_seconds():
    for seed in range(10):
        for form in forms(seed)[1:]:
            moments = sorted(turns(seed, form).values())
            assert moments[0] == form.begins_s
            assert all(20 <= b - a <= 35 for a, b in pairwise(moments))
            assert moments[-1] <= form.ends_s


def test_the_faintest_layers_turn_first_and_the_pads_last():
    for form in forms(3)[1:]:
        order = [layer for layer, _ in sorted(turns(3, form).items(), key=lambda item: item[1])]
        faint = ["texture", "percussion", "choir", "answer", "bells", "drone", "melody", "pad"]
        assert order == [layer for layer in faint if layer in order]


def test_a_layer_that_has_not_turned_plays_as_the_section_before_says():
    form = Form("still", 1, 700, 400, "drift")
    assert Scene(1, 500, form, 400).part("melody") == 1
    assert Scene(1, 500, form, 700).part("melody") == 0
    assert Scene(1, 500, form, 400).player("pad") == "warm_pad"


@pytest.mark.parametrize("name", SECTIONS)
def test_rising_intensity_only_adds_layers(name):
    form = Form(name, 3, 900, 500, "drift")
    heard = [{n for n, part in enumerate(parts(form, 900, level)) if part} for level in range(0, 1001, 50)]
    assert all(fewer <= more for fewer, more in pairwise(heard))


def test_arcs_are_slow_and_reach_both_ends():
    values = [Scene(1, 500, first_form(1), second).arc("register") for second in range(1380)]
    assert min(values) < -990
    assert max(values) > 990
    assert max(abs(a - b) for a, b in pairwise(values)) <= 6


def test_mood_moves_the_register():
    low, neutral, high = (Scene(1, 500, first_form(1), 0, mood).register for mood in (0, 500, 1000))
    assert (low - neutral, high - neutral) == (-3, 2)
