"""Set-up: what counts as up to date, which build of torch is chosen, what a failure shows."""

import importlib.util
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up script, with its own environment folder and without the caller's TORCH settings."""
    source = Path(__file__).parents[3] / "setup" / "install.py"
    spec = importlib.util.spec_from_file_location("install", source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "install", module)  # dataclasses look their module up here
    spec.loader.exec_module(module)
    for name, path in {"PYTHON": "python", "STAMP": "stamp.json", "LOG": "install.log"}.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module.platform, "system", lambda: "Linux")
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    return module


def test_an_unchanged_environment_needs_nothing(install: ModuleType) -> None:
    held = install.Stamp("digest", "/here", "cpu", ("all",))
    assert held.serves(held)


@pytest.mark.parametrize(
    "change", [{"sources": "other"}, {"root": "/there"}, {"torch": "plain"}, {"extras": ("all", "dev")}]
)
def test_any_difference_asks_for_an_install(install: ModuleType, change: dict[str, object]) -> None:
    held = install.Stamp("digest", "/here", "cpu", ("all",))
    assert not held.serves(replace(held, **change))


def test_the_developers_environment_serves_a_listener(install: ModuleType) -> None:
    held = install.Stamp("digest", "/here", "cpu", ("dev",))
    assert held.serves(replace(held, extras=("all",)))


def test_a_stamp_is_read_as_it_was_written(install: ModuleType) -> None:
    held = install.Stamp("digest", "/here", "cpu", ("all", "dev"))
    install.STAMP.write_text(json.dumps(asdict(held)))
    install.PYTHON.touch()
    assert install.read_stamp() == held


def test_a_stamp_without_its_python_counts_as_none(install: ModuleType) -> None:
    install.STAMP.write_text(json.dumps(asdict(install.Stamp("digest", "/here", "cpu", ("all",)))))
    assert install.read_stamp() is None


@pytest.mark.parametrize("content", ["", "[]", '{"sources": "x"}', '{"extras": 1}', "{}"])
def test_a_broken_stamp_counts_as_none(install: ModuleType, content: str) -> None:
    install.STAMP.write_text(content)
    install.PYTHON.touch()
    assert install.read_stamp() is None


@pytest.mark.parametrize(
    ("system", "choice", "gpu", "build"),
    [
        ("Linux", "auto", False, "cpu"),
        ("Linux", "auto", True, "plain"),
        ("Linux", "cpu", True, "cpu"),
        ("Linux", "cuda", False, "plain"),
        ("Linux", "", False, "cpu"),
        ("Darwin", "auto", False, "plain"),
    ],
)
def test_the_build_of_torch_fits_the_machine(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, choice: str, gpu: bool, build: str
) -> None:
    monkeypatch.setattr(install.platform, "system", lambda: system)
    monkeypatch.setattr(install, "nvidia_gpu_answers", lambda: gpu)
    monkeypatch.setenv("TORCH", choice)
    assert install.wanted_torch(None) == build


def test_an_installed_build_of_torch_stays(install: ModuleType) -> None:
    """A choice made once with TORCH=cuda holds for later starts."""
    assert install.wanted_torch(install.Stamp("digest", "/here", "plain", ("all",))) == "plain"


def test_an_unknown_build_of_torch_is_named(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH", "rocm")
    with pytest.raises(install.SetupError, match=r"'rocm' is not one of auto, cpu, cuda"):
        install.wanted_torch(None)


def test_a_cpu_machine_never_asks_an_index_for_the_plain_build(install: ModuleType) -> None:
    """On Linux the plain build brings gigabytes of CUDA, so each attempt is offline or for `+cpu`."""
    attempts = install.torch_attempts("cpu", "2.13.0")
    assert all("--no-index" in attempt or attempt[-1].endswith("+cpu") for attempt in attempts)
    assert all("--no-deps" in attempt for attempt in attempts)


def test_a_failure_shows_the_end_of_pips_output(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    install.PYTHON.write_text("#!/bin/sh\necho no wheel fits >&2\nexit 1\n")
    install.PYTHON.chmod(0o755)
    with pytest.raises(install.SetupError, match=r"(?s)no wheel fits.*installing x failed. Try y."):
        install.pip_install("installing x", ["x"], hint="Try y. ")
