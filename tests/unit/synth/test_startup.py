"""A process as workers begin: it renders what any other does, and has loaded less."""

import subprocess
import sys

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from services.synth.renderer import Job, Renderer
from tests.unit.synth.scores import FIRST, phrase, score_of

PROCESS = """
import gc, os, sys
from services.synth.startup import loading_torch

os.environ["OMP_NUM_THREADS"] = "2"
with loading_torch():
    from tests.unit.synth.test_startup import rendered

assert "torch._prims" not in sys.modules
assert gc.isenabled()
assert os.environ["OMP_NUM_THREADS"] == "1"
sys.stdout.write(rendered().hex())
"""


def rendered() -> bytes:
    """Three chunks in mid-piece."""
    audio = AudioFormat()
    score = score_of(phrase(audio), audio)
    jobs = [Job(5, score, seq, Versions(FIRST, FIRST)) for seq in range(9, 12)]
    return b"".join(Renderer(audio).render(jobs))


def test_a_process_without_what_compilers_need_renders_the_same() -> None:
    process = [sys.executable, "-c", PROCESS]
    other = subprocess.run(process, check=True, capture_output=True, text=True).stdout
    assert any(rendered())
    assert other == rendered().hex()
