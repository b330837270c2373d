"""A process that starts as workers do renders the same as any other and has loaded less."""

import subprocess
import sys

import pytest

from services.synth.dsp.arrays import CPU, Device
from tests import by_torch
from tests.unit.synth.once import rendered

PROCESS = """
import gc, os, sys
from services.synth.startup import loading

os.environ["OMP_NUM_THREADS"] = "2"
with loading():
    from services.synth import device, worker
    chosen = device.choose("cpu")
    from tests.unit.synth.once import rendered

assert gc.isenabled()
assert os.environ["OMP_NUM_THREADS"] == "1"
sys.stdout.write(rendered(sys.argv[1]).hex())
assert ("torch" in sys.modules) == (sys.argv[1] != chosen)
assert "torch._prims" not in sys.modules
"""


@pytest.mark.parametrize("device", [CPU, by_torch.DEVICE])
def test_a_process_that_has_loaded_less_renders_the_same(device: Device) -> None:
    """On the CPU it has not loaded torch, elsewhere none of torch's modules for compilers."""
    process = [sys.executable, "-c", PROCESS, device]
    other = subprocess.run(process, check=True, capture_output=True, text=True).stdout
    assert any(rendered(device))
    assert other == rendered(device).hex()
