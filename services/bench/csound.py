"""A pad in Csound, where it is installed: three ``vco2``, a low-pass, an envelope and a pan."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from auralis.errors import AuralisError
from services.bench.samples import last_line

_ORCHESTRA: Final = """\
sr = {rate}
ksmps = {ksmps}
nchnls = 2
0dbfs = 1
instr 1
 kenv linseg 0, 3, 1, p3, 1
 klfo lfo 0.35, 0.07
 a1 vco2 0.3, p4
 a2 vco2 0.3, p4 * 1.0046
 a3 vco2 0.3, p4 * 0.9954
 af butterlp a1 + a2 + a3, 1231 * (2 ^ klfo)
 al, ar pan2 af * kenv * p6, p5
 outs al, ar
endin
"""
_TIMEOUT_S: Final = 120
# Frames for which envelope, filter and pan stay constant: Csound's default, and a setting for speed.
DEFAULT_KSMPS, FAST_KSMPS = 10, 64


def installed() -> str | None:
    """The path of the program; None if it is not installed."""
    return shutil.which("csound")


def version(program: str) -> str:
    """The program's name and version as it reports them."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603
    line = next((line for line in (done.stderr + done.stdout).splitlines() if "version" in line), "Csound")
    return line.strip("- ").partition(" (")[0]


def render_s(program: str, pitches: list[float], seconds: float, rate_hz: int, ksmps: int) -> float:
    """Seconds that Csound takes to render ``pitches`` (Hz) for ``seconds``, start-up included, to no file.

    ``ksmps`` is how many frames it computes at a time.

    Raises:
        AuralisError: Csound failed.
    """
    with tempfile.TemporaryDirectory() as name:
        orchestra, score = Path(name) / "pad.orc", Path(name) / "pad.sco"
        orchestra.write_text(_ORCHESTRA.format(rate=rate_hz, ksmps=ksmps))
        gain = 1 / len(pitches)
        lines = (
            f"i1 0 {seconds:g} {hz:.3f} {place / len(pitches):.3f} {gain:.4f}"
            for place, hz in enumerate(pitches)
        )
        score.write_text("\n".join([*lines, "e"]))
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603  a program that the user has installed
            [program, "-d", "-n", "-m0", str(orchestra), str(score)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        elapsed = time.perf_counter() - started
    if done.returncode:
        raise AuralisError(f"csound: {last_line(done.stderr)}")
    return elapsed
