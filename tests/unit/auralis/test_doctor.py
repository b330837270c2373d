"""``auralis doctor``: what it finds, and its advice about what is wrong."""

import importlib
import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from auralis import doctor
from auralis.doctor import Finding, run_checks
from auralis.errors import AuralisError
from auralis.settings import Settings, load
from auralis.supervise import free_port


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the test's settings, and no torch: importing it takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(doctor.importlib, "import_module", _no_torch)


def _no_torch(name: str) -> Any:
    if name == "torch" or name.startswith("services.synth"):
        raise ImportError(name)
    return importlib.import_module(name)


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in run_checks(settings)}


def test_everything_that_a_running_system_needs_is_looked_at(tmp_path: Path) -> None:
    found = _found(load(data_dir=tmp_path))
    assert list(found) == [
        "auralis", "python", "torch", "device", "broker", "codecs", "port", "metrics", "data", "control",
    ]  # fmt: skip
    assert all(finding.fix for finding in found.values() if finding.level == "note")


def test_a_missing_torch_is_wrong_and_told_how_to_install(tmp_path: Path) -> None:
    found = _found(load(data_dir=tmp_path))
    assert found["torch"] == Finding(
        "wrong", "torch", "not installed", "pip install 'auralis[synth]', or `make run`"
    )
    assert found["device"].level == "wrong"


def test_a_broker_that_answers_is_told_by_its_version(redis_url: str) -> None:
    finding = _found(load(redis_url=redis_url))["broker"]
    assert finding.level == "ok"
    assert finding.found.startswith("version ")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}", "http://elsewhere", "redis://h:port"])
def test_a_broker_that_can_not_be_reached_is_wrong(url: str) -> None:
    finding = _found(load(redis_url=url.format(port=free_port("127.0.0.1"))))["broker"]
    assert finding.level == "wrong"
    assert finding.fix == "start it, or correct REDIS_URL"


def test_an_old_broker_is_wrong(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def old(_: str) -> str:
        return "6.2.14"

    monkeypatch.setattr(doctor, "_broker_version", old)
    finding = _found(load(redis_url=redis_url))["broker"]
    assert (finding.level, finding.fix) == ("wrong", "Redis 7 or Valkey 8 at least")


def test_no_broker_at_all_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise AuralisError("no broker: set REDIS_URL")

    monkeypatch.setattr(doctor, "server_path", missing)
    assert _found(load())["broker"] == Finding("wrong", "broker", "no broker: set REDIS_URL")


def test_a_port_in_use_is_worth_a_note() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        finding = _found(load(port=taken.getsockname()[1]))["port"]
    assert finding.level == "note"
    assert "--port" in finding.fix


def test_a_port_of_metrics_in_use_is_worth_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "METRICS_PORTS", {"synth": free_port("127.0.0.1")})
    assert _found(load())["metrics"].level == "ok"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "METRICS_PORTS", {"composer": free_port("127.0.0.1"), "synth": port})
        finding = _found(load())["metrics"]
        assert _found(load(metrics_port=port))["metrics"] == finding
    assert (finding.level, finding.found) == ("note", f"127.0.0.1:{port} in use")
    assert "AURALIS_METRICS_PORT" in finding.fix


def test_without_metrics_no_port_is_looked_at() -> None:
    assert _found(load(metrics_port=0))["metrics"].level == "ok"


def test_a_data_folder_that_can_not_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = _found(load(data_dir=tmp_path / "file" / "below"))["data"]
    assert finding.level == "wrong"
    assert "Not a directory" in finding.found


def test_it_says_who_may_control() -> None:
    assert _found(load(control_token="secret"))["control"].found == "with a token"  # noqa: S106
    assert "127.0.0.0/8, ::1/128" in _found(load())["control"].found


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("note", 0), ("wrong", 1)])
def test_only_what_is_wrong_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: Any, code: int
) -> None:
    findings = [Finding("ok", "first", "there"), Finding(level, "second", "seen", "fix it")]
    monkeypatch.setattr(doctor, "run_checks", lambda _: iter(findings))
    assert doctor.main(load()) == code
    assert capsys.readouterr().out == f"ok    first      there\n{level:<5} second     seen → fix it\n"


def test_brackets_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding("note", "codecs", "[red]", "pip install 'auralis[offline]'")
    monkeypatch.setattr(doctor, "run_checks", lambda _: iter([finding]))
    doctor.main(load())
    assert capsys.readouterr().out == "note  codecs     [red] → pip install 'auralis[offline]'\n"
