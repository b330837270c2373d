"""The example that renders the patches."""

from pathlib import Path

import pytest
import soundfile

from examples import render_patches
from services.synth.patches.library import library


def test_a_patch_is_rendered_to_a_file_of_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder that is created for it."""
    folder = tmp_path / "new" / "folder"
    assert render_patches.main([str(folder), "rim", "--format", "ogg", "--room", "room"]) == 0
    assert [path.name for path in folder.iterdir()] == ["rim.ogg"]
    assert soundfile.info(folder / "rim.ogg").duration > 1
    assert capsys.readouterr().out == f"{folder / 'rim.ogg'}\n"


def test_without_a_name_it_is_all_patches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one in a separate file."""
    made: list[Path] = []
    monkeypatch.setattr(render_patches.audition, "main", lambda wanted: made.append(wanted.output))
    assert render_patches.main([str(tmp_path)]) == 0
    assert made == [tmp_path / f"{name}.flac" for name in library()]


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("kazoo",), "patch: found 'kazoo'"),
        (("rim", "kazoo"), "patch: found 'kazoo'"),
        (("--format", "txt"), "output: found"),
        (("--room", "attic"), "room: found 'attic'"),
        (("--intensity", "2"), "intensity: found 2.0"),
    ],
)
def test_a_mistake_is_one_line_and_2_before_anything_is_rendered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], named: str
) -> None:
    assert render_patches.main([str(tmp_path), *flags]) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
