"""The command line: quick help, one line for a mistake, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auralis import __version__, embedded
from auralis.cli import main
from auralis.errors import BrokerUnavailable
from auralis.settings import Settings
from services.synth.patches.library import library

SERVICES = ("composer", "synth", "gateway")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No .env and only the test's settings; afterwards Ctrl-C is handled as before."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AURALIS_") or name == "REDIS_URL"]:
        monkeypatch.delenv(name)
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


class Ended:
    """The result of a command line."""

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
    """A service with this name that does ``run``."""
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
    """Importing torch alone takes seconds."""
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
        (("up", "--port", "70000"), "--port: found 70000, allowed: a whole number from 0 to 65535"),
        (("up", "--host", ""), "--host: found '', allowed: a name or address of this machine"),
        (("up", "--data-dir", ""), "--data-dir: found '', allowed: a folder that can be written"),
        (("up", "--synth-workers", "0"), "--synth-workers"),
        (("up", "extra"), "extra"),
        (
            ("synth", "--device", "tpu"),
            "--device: found 'tpu', allowed: 'auto', 'cuda', 'mps' or 'cpu'",
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


@pytest.mark.parametrize("command", [("up",), ("synth",), ("bench", "render")])
def test_an_accelerator_that_is_not_there_is_told_before_anything_is_started(
    auralis: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """The message names the option or the variable that asked for it."""
    monkeypatch.setattr("services.synth.device.may_be_accelerated", lambda: False)
    found = "found 'cuda', allowed: on this machine auto or cpu"
    ended = auralis(*command, "--device", "cuda")
    assert (ended.code, ended.out, ended.err) == (2, "", f"auralis: --device: {found}\n")
    monkeypatch.setenv("AURALIS_DEVICE", "cuda")
    ended = auralis(*command)
    assert (ended.code, ended.out, ended.err) == (2, "", f"auralis: AURALIS_DEVICE: {found}\n")


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
        (("--stems", "x.wav"), "stems: found 'x.wav', allowed: a folder with another name than the output"),
        (("--stems", "x", "--midi", "x"), "midi: found 'x', allowed: a file of its own"),
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
    ended = auralis("render", *flags, "-o", "x.wav", "--score", str(path))
    assert (ended.code, ended.out, ended.err) == (0, f"x.wav\n{path}\n", "")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [e["value"] for e in events if e.get("parameter") == "brightness"] == [0.2]
    assert [e["room"] for e in events if e["type"] == "space"] == ["plate"]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_at_a_terminal_is_one_line_and_130_and_leaves_nothing(tmp_path: Path, processes: str) -> None:
    """The signal goes to all processes of the job; sending it twice changes nothing."""
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
    assert (ended.code, ended.out, ended.err) == (0, f"{path}\n", "")
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "Missing command"),
        (("render", "--channels", "3,16"), "channels: found '3,16', allowed: numbers such as 1,8,16"),
        (("render", "--seconds", "0"), "seconds: found 0.0, allowed: more than 0, at most 600"),
        (("render", "--json", "missing/x"), "json: found 'missing/x', allowed: a file"),
        (("render", "--device", "tpu"), "--device: found 'tpu'"),
    ],
)
def test_a_wrong_benchmark_is_one_line_and_2(auralis: Any, arguments: tuple[str, ...], named: str) -> None:
    ended = auralis("bench", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert named in ended.err


def test_the_patches_are_listed(auralis: Any) -> None:
    ended = auralis("patches")
    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"(?m)^warm_pad +pad +A2 to G5 +\S.*\.$", ended.out)
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


# Sends Ctrl-C to itself at the first event of this kind.
INTERRUPTED = """
import os, signal, sys
from auralis.cli import main

def interrupt(event, arguments):
    if [event, *map(str, arguments[:1])] == wanted:
        os.kill(os.getpid(), signal.SIGINT)

wanted, sys.argv[1:] = sys.argv[1:3], sys.argv[3:]
sys.addaudithook(interrupt)
main()
"""


def _interrupted(event: str, what: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", INTERRUPTED, event, what, *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("module", ["typer", "pydantic_core", "numpy", "soundfile"])
def test_ctrl_c_while_render_is_being_loaded_is_one_line_and_130(tmp_path: Path, module: str) -> None:
    done = _interrupted("import", module, "render", "-o", "x.wav")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "auralis: interrupted: nothing was written\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["up", "synth"])
@pytest.mark.parametrize("module", ["typer", "pydantic_core", "redis", "asyncio"])
def test_ctrl_c_while_another_command_is_being_loaded_is_one_line_and_130(command: str, module: str) -> None:
    done = _interrupted("import", module, command)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "auralis: interrupted\n")


def test_ctrl_c_while_the_first_process_is_being_started_ends_everything_cleanly(tmp_path: Path) -> None:
    server = str(embedded.server_path())
    done = _interrupted("subprocess.Popen", server, "up", "--port", "0", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Auralis has ended.\n", "")


def test_ctrl_c_amid_a_benchmark_is_one_line_and_130(auralis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cleans up first."""
    cleaned: list[bool] = []

    def measure(_: Any) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            pytest.fail("went on")
        finally:
            cleaned.append(True)

    _install(monkeypatch, "bench", measure)
    monkeypatch.setattr(sys.modules["services.bench.__main__"], "Order", lambda *_: None, raising=False)
    ended = auralis("bench", "render")
    assert (ended.code, ended.err, cleaned) == (130, "auralis: interrupted: nothing was written\n", [True])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_started_as_a_module_takes_the_same_arguments(service: str) -> None:
    command = [sys.executable, "-m", f"services.{service}", "extra"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "auralis: Got unexpected extra argument(s) (extra)\n"


def test_python_m_auralis_is_the_same_command() -> None:
    command = [sys.executable, "-m", "auralis", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{__version__}\n"
