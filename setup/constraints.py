"""Renew `constraints.txt`: `python setup/constraints.py` writes down what a fresh environment gets today.

Torch keeps its pinned version unless `TORCH_VERSION` names another: the images and set-up install it first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import install

HEADER = """\
# Versions that Auralis is tested with, for `pip install -c constraints.txt`: set-up and images use them.
# `make constraints` renews them. Names and versions only: pip's own settings say where packages come from.
"""


def pinned(freeze: str) -> list[str]:
    """Return the `name==version` lines of `pip freeze` without local suffixes (torch's `+cpu`), sorted."""
    found = re.findall(r"(?m)^([\w.-]+==[^\s+]+)", freeze)
    return sorted((line for line in found if not line.startswith("auralis==")), key=str.lower)


def newest(python: Path) -> str:
    """Install the project with every extra in the environment of `python`; return what `pip freeze` says."""
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    torch = os.environ.get("TORCH_VERSION") or install.torch_version()
    for attempt in install.torch_attempts("cpu", torch):
        if subprocess.run([*pip, "install", *attempt], check=False).returncode == 0:
            break
    subprocess.run([*pip, "install", f"{install.ROOT}[dev,fast]"], check=True)
    return subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Overwrite `constraints.txt`."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        lines = pinned(newest(Path(folder) / "bin" / "python"))
    (install.ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
