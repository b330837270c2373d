from itertools import pairwise

import pytest

from services.composer.form import SECTIONS
from services.composer.script import script_of


@pytest.mark.parametrize("seconds", [1, 30, 60, 100, 240, 600, 3600, 20_000])
@pytest.mark.parametrize("seed", range(5))
def test_sections_follow_each_other_without_a_gap(seconds, seed):
    script = script_of(seed, seconds)
    assert script.forms[0].begins_s == 0
    assert script.forms[-1].ends_s == script.coda_s <= seconds
    for before, after in pairwise(script.forms):
        assert before.ends_s == after.begins_s
        assert (after.before, after.number) == (before.name, before.number + 1)


@pytest.mark.parametrize("seed", range(20))
def test_each_section_may_follow_the_one_before_and_the_last_middle_leads_to_bloom(seed):
    names = [form.name for form in script_of(seed, 1800).forms]
    bloom = names.index("bloom")
    for before, after in pairwise(names[: bloom + 1]):
        assert after in SECTIONS[before].following
    assert len(names[1:bloom]) <= 4


def test_at_names_the_section_of_a_second():
    script = script_of(1, 600)
    assert script.at(0).name == "dawn"
    assert script.at(script.coda_s - 1).name == "dusk"
    assert script.at(10_000).name == "dusk"
