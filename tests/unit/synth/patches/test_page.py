"""The page on patches agrees with the code."""

from typing import Final

import pytest

from examples import patch_page
from services.synth.patches.library import library
from services.synth.patches.parameters import parameters

PAGE: Final = patch_page.PAGE.read_text()
ROWS: Final = {
    cells[0].strip("`"): cells
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines())
    if len(cells) == 8
}


def test_every_parameter_is_documented_as_the_schema_has_it() -> None:
    assert patch_page.parameter_tables() in PAGE
    assert len(parameters()) > 100


def test_every_patch_is_described_in_its_own_words() -> None:
    assert patch_page.descriptions() in PAGE


@pytest.mark.parametrize("name", library())
def test_range_and_partials_of_every_patch_are_documented(name: str) -> None:
    assert ROWS[name][:4] == patch_page.facts(name, library()[name])


def test_no_other_patch_is_documented() -> None:
    assert ROWS.keys() - {"patch", "---"} == library().keys()


def test_a_section_is_written_between_its_marks_and_nowhere_else() -> None:
    page = "before\n<!-- a -->\nold\n<!-- end of a -->\nafter"
    assert patch_page.with_section(page, "a", "new") == (
        "before\n<!-- a -->\n\nnew\n\n<!-- end of a -->\nafter"
    )


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks of 'a'"):
        patch_page.with_section("text", "a", "new")
