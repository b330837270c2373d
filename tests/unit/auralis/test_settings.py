"""Settings: flags over environment over .env over defaults; a wrong value is one line."""

import os
import re
from pathlib import Path

import pytest

from auralis.errors import InvalidValue, UsageError
from auralis.settings import Settings, load, load_or_exit, variable_of

FIELDS = tuple(Settings.model_fields)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without .env and an environment without settings."""
    for field in FIELDS:
        monkeypatch.delenv(variable_of(field), raising=False)
    monkeypatch.chdir(tmp_path)


def _write_env(text: str) -> None:
    Path(".env").write_text(text)


def test_the_defaults_are_those_of_the_contract() -> None:
    found = load()
    assert (found.host, found.port, found.sample_rate, found.device) == ("127.0.0.1", 8000, 44_100, "auto")
    assert (found.redis_url, found.control_token, found.seed, found.metrics_port) == (None,) * 4
    assert (found.log_level, found.log_format) == ("INFO", None)
    assert found.audio.frames_per_chunk == 4410
    assert found.keys.prefix == "auralis"


@pytest.mark.parametrize("field", FIELDS)
def test_every_setting_has_the_variable_of_the_contract(field: str) -> None:
    expected = {"redis_url": "REDIS_URL", "log_level": "LOG_LEVEL", "log_format": "LOG_FORMAT"}
    assert variable_of(field) == expected.get(field, f"AURALIS_{field.upper()}")


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_dot_env_goes_over_the_default() -> None:
    _write_env("AURALIS_PORT=8111\nREDIS_URL=redis://elsewhere\nLOG_LEVEL=debug\n")
    found = load()
    assert (found.port, found.redis_url, found.log_level) == (8111, "redis://elsewhere", "DEBUG")


def test_the_environment_goes_over_dot_env(monkeypatch: pytest.MonkeyPatch) -> None:
    _write_env("AURALIS_PORT=8111\nLOG_FORMAT=json\n")
    monkeypatch.setenv("AURALIS_PORT", "8222")
    monkeypatch.setenv("LOG_FORMAT", "console")
    found = load()
    assert (found.port, found.log_format) == (8222, "console")


def test_a_flag_goes_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_PORT", "8222")
    monkeypatch.setenv("REDIS_URL", "redis://environment")
    found = load(port=8333, redis_url="redis://flag")
    assert (found.port, found.redis_url) == (8333, "redis://flag")


def test_a_flag_that_is_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_PORT", "8222")
    assert load(port=None, host=None).port == 8222


def test_lists_are_separated_by_commas_with_or_without_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_ALLOWED_ORIGINS", "https://a.example, https://b.example,,")
    monkeypatch.setenv("AURALIS_CONTROL_OPEN_NETWORKS", "10.0.0.0/8,fd00::/8")
    found = load()
    assert found.allowed_origins == ("https://a.example", "https://b.example")
    assert found.control_open_networks == ("10.0.0.0/8", "fd00::/8")


def test_settings_of_other_programs_in_dot_env_are_left_alone() -> None:
    _write_env("POSTGRES_PASSWORD=secret\nAURALIS_PORT=8111\n")
    assert load().port == 8111


def test_what_was_asked_for_can_be_told_from_a_default() -> None:
    _write_env("LOG_LEVEL=INFO\n")
    assert "log_level" in load().model_fields_set
    assert "port" not in load().model_fields_set


def test_the_data_lie_where_the_system_keeps_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert load().data_dir == tmp_path / "auralis"


WRONG = [
    ("AURALIS_PORT", "x", "integer"),
    ("AURALIS_PORT", "-1", "greater than or equal to 0"),
    ("AURALIS_PORT", "65536", "less than or equal to 65535"),
    ("AURALIS_METRICS_PORT", "70000", "less than or equal to 65535"),
    ("AURALIS_SAMPLE_RATE", "22050", "44100 or 48000"),
    ("AURALIS_SEED", "-1", "greater than or equal to 0"),
    ("AURALIS_SEED", str(2**32), "less than 4294967296"),
    ("AURALIS_DEVICE", "tpu", "'auto', 'cuda', 'mps' or 'cpu'"),
    ("AURALIS_CONTROL_TOKEN", "", "at least 1 character"),
    ("AURALIS_CONTROL_OPEN_NETWORKS", "everybody", "networks such as 10.0.0.0/8"),
    ("AURALIS_CONTROL_OPEN_NETWORKS", "10.0.0.1/8", "networks such as 10.0.0.0/8"),
    ("AURALIS_MAX_LISTENERS", "0", "greater than or equal to 1"),
    ("AURALIS_MAX_LISTENERS_PER_IP", "many", "integer"),
    ("AURALIS_PREFIX", "a:b", "pattern"),
    ("LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("LOG_FORMAT", "xml", "'console' or 'json'"),
]


def _check_line(line: str, variable: str, value: str, allowed: str) -> None:
    assert re.match(rf"{variable}: found {value!r}, allowed: ", line), line
    assert allowed in line
    assert "\n" not in line


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_variable_is_named_with_what_was_found_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidValue) as caught:
        load()
    _check_line(str(caught.value), variable, value, allowed)


@pytest.mark.parametrize(("variable", "value", "allowed"), WRONG)
def test_a_wrong_line_of_dot_env_is_named_as_well(variable: str, value: str, allowed: str) -> None:
    _write_env(f"{variable}={value}\n")
    with pytest.raises(InvalidValue) as caught:
        load()
    _check_line(str(caught.value), variable, value, allowed)


def test_a_wrong_flag_is_named_by_its_variable() -> None:
    with pytest.raises(InvalidValue, match="AURALIS_PORT: found 70000, allowed: less than or equal to 65535"):
        load(port=70_000)


def test_a_dot_env_in_another_encoding_is_one_line() -> None:
    Path(".env").write_bytes("AURALIS_HOST=münchen\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"\.env: .*; expected a readable file in UTF-8"):
        load()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_dot_env_that_must_not_be_read_is_one_line() -> None:
    _write_env("AURALIS_PORT=8111\n")
    Path(".env").chmod(0)
    with pytest.raises(UsageError, match=r"\.env: .*Permission denied"):
        load()


def test_a_service_that_can_not_load_them_says_so_in_one_line_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AURALIS_DEVICE", "tpu")
    with pytest.raises(SystemExit) as caught:
        load_or_exit()
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "auralis: AURALIS_DEVICE: found 'tpu', allowed: 'auto', 'cuda', 'mps' or 'cpu'\n"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]
