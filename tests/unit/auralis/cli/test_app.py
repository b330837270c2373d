"""The command line: quick help, one line for a mistake, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from auralis import __version__
from auralis.cli import main
from auralis.errors import BrokerUnavailable
from auralis.settings import Settings
from services.synth.patches.library import library

SERVICES = ("composer", "synth", "gateway")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No .env and no settings but the test's."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AURALIS_") or name == "REDIS_URL"]:
        monkeypatch.delenv(name)


class Ended:
    """How the command line ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.code: Any = None
        self.out = self.err = ""

    def __call__(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> "Ended":
        monkeypatch.setattr(sys, "argv", ["auralis", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        self.code = caught.value.code
        self.out, self.err = self._capsys.readouterr()
        return self


@pytest.fixture
def auralis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    ended = Ended(capsys)
    return lambda *arguments: ended(monkeypatch, *arguments)


def _install(monkeypatch: pytest.MonkeyPatch, name: str, run: Any) -> None:
    """A service of this name that does ``run``."""
    module = types.ModuleType(f"services.{name}.__main__")
    module.main = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_the_version_is_told(auralis: Any) -> None:
    ended = auralis("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_without_a_command_it_says_which_there_are(auralis: Any, arguments: tuple[str, ...]) -> None:
    ended = auralis(*arguments)
    assert (ended.code, ended.err) == (0, "")
    assert all(f"\n  {command}" in ended.out for command in ("up", "doctor", *SERVICES))


def test_help_waits_for_nothing_heavy() -> None:
    """Torch alone takes seconds."""
    program = (
        "import sys; from auralis.cli import main\n"
        "sys.argv = ['auralis', 'up', '--help']\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'numpy', 'aiohttp', 'redis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--synth-workers" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("dance",), "dance"),
        (("up", "--volume", "11"), "--volume"),
        (("up", "--port", "x"), "--port"),
        (("up", "--port", "70000"), "AURALIS_PORT: found 70000, allowed: less than or equal to 65535"),
        (("up", "--synth-workers", "0"), "--synth-workers"),
        (("up", "extra"), "extra"),
        (
            ("synth", "--device", "tpu"),
            "AURALIS_DEVICE: found 'tpu', allowed: 'auto', 'cuda', 'mps' or 'cpu'",
        ),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_2(auralis: Any, arguments: tuple[str, ...], named: str) -> None:
    ended = auralis(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("auralis: ")
    assert named in ended.err


def test_a_wrong_variable_is_one_line_on_stderr_and_2(auralis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURALIS_SAMPLE_RATE", "8000")
    ended = auralis("composer")
    assert (ended.code, ended.err) == (
        2,
        "auralis: AURALIS_SAMPLE_RATE: found '8000', allowed: 44100 or 48000\n",
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--patch", "harpsichord"), "patch: found 'harpsichord', allowed: one of "),
        (("--patch", "drone", "--notes", "C4 H4"), "notes: found 'H4', allowed: names such as C4"),
        (("--patch", "drone", "--velocity", "2"), "velocity: found 2.0, allowed: more than 0, at most 1"),
        (("--patch", "drone", "--room", "attic"), "room: found 'attic', allowed: one of hall"),
        (("--patch", "drone", "--minutes", "1"), "--minutes: not with --patch"),
        (("--patch", "drone", "--mood", "1"), "--mood: not with --patch"),
        (("--patch", "drone", "--stems", "."), "--stems: not with --patch"),
        (("--notes", "C4"), "--notes: only with --patch"),
        (("--note-seconds", "1"), "--note-seconds: only with --patch"),
        (("--stems", "missing/stems"), "stems: found 'missing/stems', allowed: a folder"),
    ],
)
def test_a_wrong_audition_is_one_line_and_2_and_writes_nothing(
    auralis: Any, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    ended = auralis("render", "-o", "x.wav", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--bpm", "500"), "bpm: found 500.0, allowed: a number from 40 to 120"),
        (("--bpm", "nan"), "bpm: found nan"),
        (("--bpm", "fast"), "--bpm"),
        (("--key", "H minor"), "key: found 'H minor', allowed: one of C, C#"),
        (("--intensity", "2"), "intensity: found 2.0"),
        (("--mood", "-0.1"), "mood: found -0.1, allowed: a number from 0 to 1"),
        (("--brightness", "9"), "brightness: found 9.0, allowed: a number from 0 to 1"),
        (("--room", "attic"), "room: found 'attic', allowed: one of auto, hall"),
        (("--minutes", "0"), "minutes: found 0.0, allowed: more than 0"),
        (("--minutes", "-1"), "minutes: found -1.0"),
        (("--minutes", "nan"), "minutes: found nan"),
        (("--seed", "-1"), "seed: found -1"),
        (("--seed", "x"), "--seed"),
        (("--processes", "0"), "processes: found 0, allowed: 1 to 256"),
        (("-o", "x.txt"), "output: found 'x.txt', allowed: a name that ends in .wav, .flac"),
        (("-o", "missing/x.wav"), "output: found 'missing/x.wav', allowed: a file in a folder"),
        (("-o", "/proc/x.wav"), "output: found '/proc/x.wav', allowed: a file in a folder"),
        (("--midi", "."), "midi: found '.', allowed: a file"),
        (("--score", "missing/x"), "score: found 'missing/x', allowed: a file"),
    ],
)
def test_a_wrong_piece_is_one_line_and_2_and_writes_nothing(
    auralis: Any, tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    ended = auralis("render", "-o", "x.wav", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err
    assert not list(tmp_path.iterdir())


def test_the_controls_of_a_piece_stand_in_its_score(auralis: Any, tmp_path: Path) -> None:
    flags = ("--minutes", "0.1", "--brightness", "0.2", "--room", "Plate", "--mood", "1")
    path = tmp_path / "x.jsonl"
    assert auralis("render", *flags, "-o", str(tmp_path / "x.wav"), "--score", str(path)).code == 0
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [e["value"] for e in events if e.get("parameter") == "brightness"] == [0.2]
    assert [e["room"] for e in events if e["type"] == "space"] == ["plate"]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_at_a_terminal_is_one_line_and_130_and_leaves_nothing(tmp_path: Path, processes: str) -> None:
    """The signal goes to all processes of the job; twice is no other than once."""
    command = [sys.executable, "-m", "auralis", "render", "--minutes", "60", "--processes", processes]
    files = ("-o", "x.ogg", "--stems", "stems", "--midi", "x.mid")
    with subprocess.Popen(
        [*command, *files], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as rendering:
        while not any(path.stat().st_size for path in tmp_path.rglob("*.*")):
            assert rendering.poll() is None
            time.sleep(0.05)
        os.killpg(rendering.pid, signal.SIGINT)
        time.sleep(0.1)
        os.killpg(rendering.pid, signal.SIGINT)
        _, said = rendering.communicate(timeout=30)
    assert (rendering.returncode, said) == (130, "auralis: interrupted: nothing was written\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_a_patch_is_rendered_by_extension(auralis: Any, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"x.{extension}"
    flags = ("--notes", "C4+G4", "--velocity", "0.9", "--note-seconds", "0.2", "--room", "room")
    ended = auralis("render", "--patch", "rim", *flags, "-o", str(path))
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "Missing command"),
        (("render", "--channels", "3,16"), "channels: found '3,16', allowed: numbers such as 1,8,16"),
        (("render", "--seconds", "0"), "seconds: found 0.0, allowed: more than 0, at most 600"),
        (("render", "--json", "missing/x"), "json: found 'missing/x', allowed: a file"),
        (("render", "--device", "tpu"), "AURALIS_DEVICE: found 'tpu'"),
    ],
)
def test_a_wrong_benchmark_is_one_line_and_2(auralis: Any, arguments: tuple[str, ...], named: str) -> None:
    ended = auralis("bench", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err


def test_the_patches_are_listed(auralis: Any) -> None:
    ended = auralis("patches")
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"(?m)^warm_pad +pad +A2 to E5 +\S.*\.$", ended.out)
    assert ended.out.count("\n") == len(library())


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_service_ends_the_command_with_its_code(
    auralis: Any, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    _install(monkeypatch, name, lambda _: code)
    assert auralis(name).code == code


def test_flags_reach_the_service_as_settings(auralis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []
    _install(monkeypatch, "gateway", lambda settings: seen.append(settings) or 0)
    assert auralis("gateway", "--host", "0.0.0.0", "--port", "0").code == 0  # noqa: S104
    assert (seen[0].host, seen[0].port) == ("0.0.0.0", 0)  # noqa: S104


def test_a_service_that_fails_is_one_line_and_1(auralis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> int:
        raise BrokerUnavailable("the broker does not answer")

    _install(monkeypatch, "composer", fail)
    ended = auralis("composer")
    assert (ended.code, ended.err) == (1, "auralis: the broker does not answer\n")


def test_a_service_that_is_not_installed_says_what_to_install(
    auralis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("auralis.cli.app.importlib.import_module", missing)
    ended = auralis("synth")
    assert ended.code == 1
    assert ended.err == "auralis: synth: the package 'torch' is missing: pip install 'auralis[synth]'\n"


def test_ctrl_c_while_a_service_is_being_loaded_is_no_traceback(
    auralis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("auralis.cli.app.importlib.import_module", interrupted)
    ended = auralis("synth")
    assert (ended.code, ended.err.strip()) == (130, "")


def test_python_m_auralis_is_the_same_command() -> None:
    command = [sys.executable, "-m", "auralis", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{__version__}\n"
