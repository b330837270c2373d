"""``auralis bench render`` as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest

from auralis.errors import InvalidValue
from services.bench import __main__ as bench
from services.bench.__main__ import Order
from services.bench.report import Row
from services.bench.samples import Samples

ROW = Row("ours", "ms", Samples((1.0,)))
PARTS = ("mix_rows", "stage_rows", "kernel_rows", "pad_rows", "takeover_rows", "worker_rows")


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes every part return one row at once; lists the parts that were called."""
    asked: list[str] = []

    def part(name: str) -> Any:
        return lambda *_: asked.append(name) or [ROW]

    for name in PARTS:
        monkeypatch.setattr(bench, name, part(name))
    return asked


@pytest.mark.parametrize("flag", [False, True])
def test_one_table_with_all_parts_and_the_devices_name(
    capsys: pytest.CaptureFixture[str], measured: list[str], flag: bool
) -> None:
    assert bench.main(Order("cpu", markdown=flag)) == 0
    assert tuple(measured) == PARTS
    title, _, header, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("cpu: ")
    assert "torch" in title
    assert header.startswith("| measure |" if flag else "measure ")
    assert len(rows) == len(PARTS) + flag


def test_figures_are_saved_for_scripts(tmp_path: Path) -> None:
    """In addition to the table."""
    path = tmp_path / "figures.json"
    bench.main(Order("cpu", json=path))
    assert [row["measure"] for row in json.loads(path.read_text())["rows"]] == ["ours"] * len(PARTS)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"channels": "1,x"}, "channels: found '1,x', allowed: numbers such as 1,8,16"),
        ({"channels": "3,16"}, "channels: found '3,16'"),
        ({"channels": "0,8"}, "channels: found '0,8'"),
        ({"channels": "8,8"}, "channels: found '8,8'"),
        ({"channels": ","}, "channels: found ','"),
        ({"music_s": 0.0}, "seconds: found 0.0"),
        ({"music_s": float("nan")}, "seconds: found nan"),
        ({"json": Path("missing/x.json")}, "json: found 'missing/x.json'"),
    ],
)
def test_wrong_values_are_named_before_anything_is_measured(
    measured: list[str], wanted: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidValue, match=named):
        Order("cpu", **wanted)
    assert not measured


def test_batch_sizes_follow_the_device() -> None:
    """Few on a CPU, unless sizes are given."""
    assert Order("cpu").sizes == [1, 8, 16]
    assert Order("cpu", channels="2, 4").sizes == [2, 4]
