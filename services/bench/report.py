"""The table that a benchmark prints: for people, as Markdown or as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.bench.samples import Samples

HEADER: Final = ("measure", "median", "quartiles", "p99", "unit", "compared with", "ratio", "goal")
# Values needed for a meaningful p99.
_ENOUGH: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. ``ratio`` is how many times as good as ``against`` it is.

    ``goal`` is for the value or the ratio. Without ``samples`` it could not be measured: ``unit`` says why.
    """

    measure: str
    unit: str
    samples: Samples | None
    against: str = ""
    ratio: float | None = None
    goal: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of :data:`HEADER`."""
        ratio = "" if self.ratio is None else f"{number(self.ratio)} x"
        return (self.measure, *_figures(self.samples), self.unit, self.against, ratio, self.goal)

    def fields(self) -> dict[str, Any]:
        """The row as JSON fields."""
        found: dict[str, Any] = {"measure": self.measure, "unit": self.unit}
        found |= {"against": self.against, "ratio": self.ratio, "goal": self.goal}
        if self.samples is not None:
            shares = {"p25": 0.25, "p50": 0.5, "p75": 0.75, "p99": 0.99}
            found |= {name: self.samples.quantile(share) for name, share in shares.items()}
            found["count"] = len(self.samples.values)
        return found


def _figures(samples: Samples | None) -> tuple[str, str, str]:
    if samples is None:
        return ("-", "", "")
    spread = (
        f"{number(samples.quantile(0.25))} to {number(samples.quantile(0.75))}"
        if len(samples.values) > 1
        else ""
    )
    p99 = number(samples.quantile(0.99)) if len(samples.values) >= _ENOUGH else ""
    return (number(samples.median), spread, p99)


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plain(title: str, rows: Sequence[Row]) -> str:
    """Columns for a terminal."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join([title, "", *padded])


def markdown(title: str, rows: Sequence[Row]) -> str:
    """A table for the documentation."""
    return "\n".join([title, "", *_markdown_lines(rows)])


def _markdown_lines(rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(HEADER)} |"
    yield "|---" * len(HEADER) + "|"
    for row in rows:
        yield f"| {' | '.join(row.cells())} |"


def as_json(machine: dict[str, str], rows: Sequence[Row]) -> str:
    """Everything, for scripts."""
    return json.dumps({"machine": machine, "rows": [row.fields() for row in rows]}, indent=1) + "\n"
