from itertools import pairwise

from msgspec.structs import replace

from auralis.controls import Controls
from services.composer.conduct import initial_state
from services.composer.draft import Draft
from services.composer.form import first_form
from services.composer.scene import Scene
from services.composer.swell import swelled


def swells(level, seconds=600):
    state, scene = initial_state(1, 0, Controls()), Scene(1, level, first_form(1))
    drafts = [Draft(replace(state, frame=second * 44_100), scene, 44_100) for second in range(seconds)]
    return [swelled(1000, draft, scene) for draft in drafts]


def test_the_swell_moves_slowly_and_far():
    found = swells(500)
    assert max(found) > 900
    assert min(found) < 680
    assert max(abs(a - b) for a, b in pairwise(found)) < 20


def test_intensity_makes_it_deeper():
    assert min(swells(1000)) < min(swells(500)) < min(swells(0))


def test_it_never_adds():
    assert max(swells(1000)) <= 1000
