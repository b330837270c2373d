"""How a rendering process starts: what has to happen while its libraries are loaded."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

# What torch registers for compilers only: shapes and types of results, without their values. Nothing here is
# ever compiled, and loading these modules is a third of ``import torch`` (needed for an accelerator): time in
# which a killed worker is not back yet, and for which workers on the same machine have to wait.
_FOR_COMPILERS: Final = ("torch._meta_registrations", "torch.distributed._meta_registrations")


@contextmanager
def loading() -> Iterator[None]:
    """Context in which to import the render stack; only for a process that uses it for nothing else."""
    # Results must not depend on how many threads a product is split over.
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    for name in _FOR_COMPILERS:
        sys.modules.setdefault(name, ModuleType(name))
    gc.disable()  # modules contain no garbage to be found
    try:
        yield
    finally:
        # Imported modules stay: a full collection would look through all of them, in the middle of a chunk.
        gc.freeze()
        gc.enable()
