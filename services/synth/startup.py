"""How a process that renders begins: what has to happen while its libraries are loaded."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

# What torch registers for compilers alone: the shapes and types of results, without their values. Nothing
# here is ever compiled, and loading them is a third of ``import torch`` (which an accelerator takes): time in
# which a worker that was killed is not back, and for which those that play beside it have to wait.
_FOR_COMPILERS: Final = ("torch._meta_registrations", "torch.distributed._meta_registrations")


@contextmanager
def loading() -> Iterator[None]:
    """Within it, import what renders: in a process that does nothing else with it."""
    # Results must not depend on how many threads a product is split over.
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    for name in _FOR_COMPILERS:
        sys.modules.setdefault(name, ModuleType(name))
    gc.disable()  # there is no garbage to be found among modules
    try:
        yield
    finally:
        # What has been imported stays: a full collection would look at all of it, in the middle of a chunk.
        gc.freeze()
        gc.enable()
