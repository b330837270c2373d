from itertools import pairwise

from services.composer.form import CODA, SECTIONS, cells_of, first_form, next_form, palette_of
from services.composer.harmony_tables import PALETTES


def sections(seed, count):
    forms = [first_form(seed)]
    while len(forms) < count:
        forms.append(next_form(seed, forms[-1]))
    return forms


def test_every_section_is_reached_and_leads_on():
    assert {form.name for seed in range(5) for form in sections(seed, 40)} == set(SECTIONS) - {CODA}


def test_a_section_lasts_three_to_eight_minutes():
    for before, form in pairwise(sections(3, 60)):
        assert 180 <= form.ends_s - before.ends_s <= 480


def test_a_section_never_follows_itself():
    assert all(a.name != b.name for a, b in pairwise(sections(1, 100)))


def test_neighbouring_sections_seldom_share_their_palette():
    palettes = [palette_of(1, number, "major") for number in range(400)]
    assert sum(a == b for a, b in pairwise(palettes)) < 60
    assert {tuple(chords) for _, _, chords in PALETTES["major"].values()} == set(palettes)


def test_a_section_has_three_rhythms_one_of_them_with_short_notes():
    for number in range(50):
        cells = cells_of(2, number)
        assert len(set(cells)) == 3
        assert any(len(cell) > 2 for cell in cells)


def test_mood_prefers_dark_palettes_when_low_and_bright_ones_when_high():
    def share(name, mood):
        chords = PALETTES["major"][name][2]
        return sum(palette_of(1, number, "major", mood) == chords for number in range(400))

    assert share("shadow", 0) > share("shadow", 500) > share("shadow", 1000)
    assert share("lydian", 0) < share("lydian", 500) < share("lydian", 1000)
