"""Make the checkout's virtual environment, or bring it up to date: `python setup/install.py EXTRA`.

It runs before anything is installed, so it needs the standard library alone. A stamp in `.venv` says what was
installed from which `pyproject.toml` and `constraints.txt`; while that holds, there is nothing to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "auralis-install.json"
LOG = VENV / "auralis-install.log"
SOURCES = (ROOT / "pyproject.toml", ROOT / "constraints.txt")

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_CHOICES = ("auto", "cpu", "cuda")
LOG_LINES_SHOWN = 25


class SetupError(Exception):
    """Set-up cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Stamp:
    """What an environment holds: it is up to date while every field but `extras` is as wanted."""

    sources: str
    root: str
    torch: str
    extras: tuple[str, ...]

    def serves(self, wanted: Stamp) -> bool:
        """Tell whether nothing needs to be installed for `wanted`; the extra `dev` holds all others."""
        same = (self.sources, self.root, self.torch) == (wanted.sources, wanted.root, wanted.torch)
        return same and ("dev" in self.extras or set(wanted.extras) <= set(self.extras))


def read_stamp() -> Stamp | None:
    """Return what the environment holds; None if it is missing, half made, or its Python is gone."""
    try:
        fields = json.loads(STAMP.read_text())
        stamp = Stamp(**{**fields, "extras": tuple(fields["extras"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return stamp if PYTHON.exists() else None


def sources_digest() -> str:
    """Return a digest of the files that decide what is installed."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()


def wanted_torch(held: Stamp | None) -> str:
    """Return the build of torch to have: `cpu`, or `plain` for the package index's default build.

    On Linux the plain build brings several GB of CUDA packages, so it is taken only where an NVIDIA GPU
    answers or TORCH=cuda asks for it; elsewhere the plain build is the right one.
    """
    choice = os.environ.get("TORCH", "auto") or "auto"
    if choice not in TORCH_CHOICES:
        raise SetupError(f"TORCH={choice!r} is not one of {', '.join(TORCH_CHOICES)}")
    if platform.system() != "Linux" or choice == "cuda":
        return "plain"
    if choice == "auto":
        return held.torch if held else "plain" if nvidia_gpu_answers() else "cpu"
    return choice


def nvidia_gpu_answers() -> bool:
    """Tell whether the driver's own tool finds a GPU."""
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def torch_attempts(build: str, version: str) -> list[list[str]]:
    """Return the pip arguments to try in turn until one installs torch."""
    if build == "plain":
        # `===` keeps out a `+cpu` wheel among pip's find-links, which counts as newer than the plain one.
        return [[f"torch==={version}" if platform.system() == "Linux" else f"torch=={version}"]]
    at_hand = ["--no-index", "--no-deps", f"torch=={version}"]
    index = os.environ.get("TORCH_INDEX") or TORCH_CPU_INDEX
    return [at_hand, ["--no-deps", "--index-url", index, f"torch=={version}+cpu"]]


def torch_version() -> str:
    """Return the pinned version of torch."""
    found = re.search(r"(?m)^torch==([\w.]+)$", (ROOT / "constraints.txt").read_text())
    if found is None:
        raise SetupError("constraints.txt pins no torch")
    return found[1]


def say(text: str, end: str = "\n") -> None:
    """Write one progress line."""
    sys.stdout.write(f"auralis: {text}{end}")
    sys.stdout.flush()


def run_logged(command: list[str], title: str) -> bool:
    """Run `command` with its output in the log, counting seconds on a terminal; tell whether it succeeded."""
    began_s = time.monotonic()
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT)
        while process.poll() is None:
            if sys.stdout.isatty():
                say(f"{title} … {time.monotonic() - began_s:.0f} s", end="\r")
            time.sleep(0.1)
    return process.returncode == 0


def pip_install(title: str, *attempts: list[str], hint: str = "") -> None:
    """Install by the first of `attempts` (pip's arguments) that works; `hint` says what to try otherwise."""
    say(f"{title} …", end="\r" if sys.stdout.isatty() else "\n")
    began_s = time.monotonic()
    pip = [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check", "install"]
    if not any(run_logged([*pip, "--progress-bar", "off", *arguments], title) for arguments in attempts):
        said = f"{log_end()}\nauralis: {title} failed. {hint}"
        raise SetupError(f"{said}All of pip's output: {LOG.relative_to(ROOT)}")
    say(f"{title}: {time.monotonic() - began_s:.0f} s      ")


def log_end() -> str:
    """Return the end of pip's output, which gives the reason for a failure."""
    return "\n".join(["pip said:", *LOG.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]])


def make_venv() -> None:
    """Make the environment unless there is one with a working pip."""
    works = [str(PYTHON), "-c", "import pip"]
    if PYTHON.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return
    say(f"making .venv with Python {platform.python_version()}")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SetupError(f"making .venv failed:\n{made.stdout}{made.stderr}".rstrip())


def install(wanted: Stamp, held: Stamp | None) -> None:
    """Bring the environment to `wanted`; there is no stamp while that is under way."""
    make_venv()
    STAMP.unlink(missing_ok=True)
    LOG.write_text("")
    if held and held.torch != wanted.torch:
        command = [str(PYTHON), "-m", "pip", "uninstall", "--yes", "torch"]
        run_logged(command, "removing the other build of torch")
    install_torch(wanted.torch)
    extras = ",".join(wanted.extras)
    pip_install("installing Auralis and what it needs", ["-c", "constraints.txt", "-e", f".[{extras}]"])
    STAMP.write_text(json.dumps(asdict(wanted), indent=2))


def install_torch(build: str) -> None:
    """Install torch ahead of the project, whose plain requirement it then satisfies."""
    size = "several GB" if build == "plain" and platform.system() == "Linux" else "200 MB"
    hint = "TORCH_INDEX=URL names another index, TORCH=cuda takes the CUDA build, PYTHON=… another Python. "
    version = torch_version()
    title = f"installing torch {version} ({build} build, up to {size})"
    pip_install(title, *torch_attempts(build, version), hint=hint)


def bring_up_to_date(extra: str) -> None:
    """Install `extra` unless the environment has it already; one process at a time does so."""
    with SOURCES[0].open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = read_stamp()
        if held and held.root != str(ROOT):  # copied or moved here: its scripts name the old folder
            shutil.rmtree(VENV)
            held = None
        extras = tuple(sorted({extra, *(held.extras if held else ())}))
        wanted = Stamp(sources_digest(), str(ROOT), wanted_torch(held), extras)
        if not held or not held.serves(wanted):
            install(wanted, held)


def main() -> int:
    """Run as a command; return its exit code."""
    try:
        bring_up_to_date(sys.argv[1])
    except SetupError as error:
        sys.stderr.write(f"auralis: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nauralis: stopped; the next make goes on from here\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
