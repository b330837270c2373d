"""Settings: flags over environment over .env over defaults; a wrong value is one line."""

import os
from pathlib import Path

import pytest

from auralis.errors import InvalidValue, UsageError
from auralis.settings import Settings, load, variable_of

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


def test_a_list_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_ALLOWED_ORIGINS", "")
    monkeypatch.setenv("AURALIS_CONTROL_OPEN_NETWORKS", "")
    assert (load().allowed_origins, load().control_open_networks) == ((), ())


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8000", "HTTPS://A.example/", "http://[::1]:80", "app://x", "null"]
)
def test_whatever_a_browser_sends_as_an_origin_may_be_allowed(origin: str) -> None:
    assert load(allowed_origins=origin).allowed_origins == (origin,)


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


PORTS = "a whole number from 0 to 65535"
SEEDS = "a whole number from 0 to 4294967295"
ORIGINS = "origins such as https://radio.example.org, separated by commas"
NETWORKS = "networks such as 10.0.0.0/8, separated by commas"
WRONG = [
    ("AURALIS_PORT", "x", PORTS),
    ("AURALIS_PORT", "-1", PORTS),
    ("AURALIS_PORT", "1.5", PORTS),
    ("AURALIS_PORT", "65536", PORTS),
    ("AURALIS_METRICS_PORT", "70000", PORTS),
    ("AURALIS_SAMPLE_RATE", "22050", "44100 or 48000"),
    ("AURALIS_SAMPLE_RATE", "high", "44100 or 48000"),
    ("AURALIS_SEED", "-1", SEEDS),
    ("AURALIS_SEED", str(2**32), SEEDS),
    ("AURALIS_DEVICE", "tpu", "'auto', 'cuda', 'mps' or 'cpu'"),
    ("AURALIS_CONTROL_OPEN_NETWORKS", "everybody", NETWORKS),
    ("AURALIS_CONTROL_OPEN_NETWORKS", "10.0.0.1/8", NETWORKS),
    ("AURALIS_ALLOWED_ORIGINS", "foo", ORIGINS),
    ("AURALIS_ALLOWED_ORIGINS", "*", ORIGINS),
    ("AURALIS_ALLOWED_ORIGINS", "https://a.example,b.example", ORIGINS),
    ("AURALIS_ALLOWED_ORIGINS", "https://a.example/page", ORIGINS),
    ("AURALIS_MAX_LISTENERS", "0", "a whole number, 1 or more"),
    ("AURALIS_MAX_LISTENERS_PER_IP", "many", "a whole number, 1 or more"),
    ("AURALIS_PREFIX", "a:b", "letters, digits, _ . -"),
    ("LOG_LEVEL", "loud", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ("LOG_FORMAT", "xml", "'console' or 'json'"),
    # Empty: neither a value nor the default.
    ("AURALIS_CONTROL_TOKEN", "", "at least one character"),
    ("AURALIS_DATA_DIR", "", "a folder that can be written"),
    ("AURALIS_HOST", "", "a name or address of this machine"),
    ("AURALIS_METRICS_HOST", "", "a name or address of this machine"),
    ("AURALIS_METRICS_PORT", "", PORTS),
    ("AURALIS_PREFIX", "", "letters, digits, _ . -"),
    ("AURALIS_SEED", "", SEEDS),
]


def _check_line(line: str, variable: str, value: str, allowed: str) -> None:
    assert line == f"{variable}: found {value!r}, allowed: {allowed}"


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


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"port": 70_000}, f"--port: found 70000, allowed: {PORTS}"),
        ({"host": ""}, "--host: found '', allowed: a name or address of this machine"),
        ({"data_dir": ""}, "--data-dir: found '', allowed: a folder that can be written"),
        ({"device": "tpu", "port": 8000}, "--device: found 'tpu', allowed: 'auto', 'cuda', 'mps' or 'cpu'"),
    ],
)
def test_a_wrong_flag_is_named(flags: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        load(**flags)
    assert str(caught.value) == named


def test_a_wrong_variable_is_named_beside_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_PORT", "70000")
    with pytest.raises(InvalidValue, match="AURALIS_PORT: found '70000'"):
        load(port=None, device="cpu")


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


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]
