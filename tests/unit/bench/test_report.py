"""The table that a benchmark prints."""

import json

import pytest

from services.bench.report import HEADER, Row, as_json, markdown, number, plain
from services.bench.samples import Samples

ROWS = [
    Row("ours", "ms", Samples((1.0, 2.0, 3.0)), "theirs", 4.0, "at most 2"),
    Row("theirs", "it is not installed", None),
    Row("many", "ms", Samples(tuple(range(101)))),
]


def test_every_format_says_the_same() -> None:
    """Median, quartiles, unit, ratio; a p99 where there are enough values for one."""
    assert ROWS[0].cells() == ("ours", "2", "1.5 to 2.5", "", "ms", "theirs", "4 x", "at most 2")
    assert ROWS[1].cells() == ("theirs", "-", "", "", "it is not installed", "", "", "")
    assert ROWS[2].cells()[1:4] == ("50", "25 to 75", "99")
    cells = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in lines(markdown("M", ROWS))]
    assert cells == [HEADER, ("---",) * len(HEADER), *(row.cells() for row in ROWS)]
    assert [line.split()[0] for line in lines(plain("M", ROWS))] == ["measure", "ours", "theirs", "many"]


def lines(text: str) -> list[str]:
    title, empty, *rest = text.splitlines()
    assert (title, empty) == ("M", "")
    return rest


def test_scripts_get_json() -> None:
    """Plain numbers, and what they were measured on."""
    found = json.loads(as_json({"device": "cpu"}, ROWS))
    assert found["machine"] == {"device": "cpu"}
    assert found["rows"][0] == {
        "measure": "ours", "unit": "ms", "against": "theirs", "ratio": 4.0, "goal": "at most 2",
        "p25": 1.5, "p50": 2.0, "p75": 2.5, "p99": pytest.approx(2.98), "count": 3,
    }  # fmt: skip
    assert "p50" not in found["rows"][1]


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (1.0, "1"), (12.345, "12.3"), (12_345.6, "12346")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """Without an exponent."""
    assert number(value) == text
