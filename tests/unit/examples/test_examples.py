"""What all examples have in common: they are programs that a user starts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

EXAMPLES: Final = Path(__file__).parents[3] / "examples"


def run(example: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the programs as a user starts it, without the environment that the tests set."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AURALIS_")}
    command = [sys.executable, str(EXAMPLES / example), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_each_example_says_what_it_does(example: str) -> None:
    found = run(example, "--help")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith(f"usage: {example}")


@pytest.mark.parametrize("example", ["calibrate.py", "spectrograms.py"])
def test_a_patch_that_is_not_there_is_named_in_one_line(example: str) -> None:
    found = run(example, "warm_pad", "nosuch")
    assert found.returncode == 2
    assert "found 'nosuch', allowed: air, bowed," in found.stderr.splitlines()[-1]
    assert found.stdout == ""
