"""The example that draws pieces."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from examples import piano_rolls


def test_each_piece_is_a_picture_of_its_own(tmp_path: Path) -> None:
    """Well-formed, labelled, with every note."""
    assert piano_rolls.main([str(tmp_path / "rolls"), "1:0.2", "2", "--minutes", "1"]) == 0
    names = sorted(path.name for path in (tmp_path / "rolls").iterdir())
    assert names == ["seed-1-intensity-0.2.svg", "seed-2-intensity-0.5.svg"]
    root = ET.parse(tmp_path / "rolls" / names[0]).getroot()  # noqa: S314  written here
    assert root.get("aria-label") == "Seed 1, A minor, 60 BPM, intensity 0.2"
    assert sum(element.get("rx") == "1" for element in root.iter()) > 10


@pytest.mark.parametrize("wrong", [["1:2"], ["x"], ["1:0.5", "2:3"], ["1", "--key", "H minor"]])
def test_a_mistake_is_named_and_nothing_drawn(
    tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        piano_rolls.main([str(tmp_path / "rolls"), *wrong])
    assert "error:" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.svg"))
