"""`.env.example` and the settings agree."""

import re
from pathlib import Path

import pytest

from auralis import settings
from auralis.settings import Settings, variable_of

TEXT = (Path(__file__).parents[2] / ".env.example").read_text()
NAMED = dict(re.findall(r"(?m)^# ([A-Z][A-Z_]*)=(.*)$", TEXT))
# A default that depends on the machine, or that is not there, is shown by an example.
SHOWN_BY_EXAMPLE = {name for name, field in Settings.model_fields.items() if field.default is None} | {
    "data_dir",
    "allowed_origins",
}


def test_every_setting_is_named_and_nothing_else() -> None:
    assert set(NAMED) == {variable_of(field) for field in Settings.model_fields}


def test_nothing_is_set_until_a_line_is_taken_up() -> None:
    assert [line for line in TEXT.splitlines() if line and not line.startswith("#")] == []


@pytest.fixture
def taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a `.env` with every line of the example taken up, and nothing from elsewhere."""
    for name in NAMED:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in NAMED.items()))
    monkeypatch.chdir(tmp_path)
    return settings.load()


@pytest.mark.parametrize("field", sorted(set(Settings.model_fields) - SHOWN_BY_EXAMPLE))
def test_the_value_shown_is_the_default(taken_up: Settings, field: str) -> None:
    assert getattr(taken_up, field) == Settings.model_fields[field].default
