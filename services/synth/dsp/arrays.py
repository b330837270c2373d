"""Arrays on the device that computes them: numpy's on the CPU, torch's on an accelerator.

A chunk is many small operations. On the CPU numpy starts one in a third of the time that torch takes, its
sines, exponentials and logarithms take half the time, and so does its BLAS for such shapes. Torch is not even
loaded there: loading it takes longer than the rest of a worker's start-up. Code written with operators,
slices, ``reshape`` and ``clip`` serves both; everything else is here.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

# A device by its torch name: ``cpu``, ``cuda``, ``mps``.
Device: TypeAlias = str
CPU: Final[Device] = "cpu"
# ``NDArray`` or ``torch.Tensor``; never both in one expression.
Array: TypeAlias = Any
# For numpy only: values that are computed on the CPU in double precision.
Float64Array: TypeAlias = NDArray[np.float64]
# Where an array lies: a tensor's device, or None for a numpy array.
Home: TypeAlias = "torch.device | Device | None"


def lazy_torch() -> Any:
    """The torch module, loaded at the first call."""
    import torch  # noqa: PLC0415

    return torch


def by_numpy(device: Device) -> bool:
    """Whether numpy, not torch, computes on ``device``."""
    return device == CPU


def is_numpys(array: Array) -> TypeGuard[np.ndarray]:
    """Whether ``array`` is a numpy array, not a torch tensor."""
    return isinstance(array, np.ndarray)


def computing(device: Device) -> AbstractContextManager[None]:
    """A context for computing on ``device``; torch is a tenth faster in it, as nothing is differentiated."""
    return nullcontext() if by_numpy(device) else lazy_torch().inference_mode()


def home(device: Device) -> Home:
    """The target that :func:`at` copies to for ``device``; None for numpy."""
    return None if by_numpy(device) else device


def on(device: Device, array: np.ndarray) -> Array:
    """``array`` as numpy or torch takes it on ``device``."""
    return at(home(device), array)


def single(device: Device, array: np.ndarray) -> Array:
    """``array`` on ``device`` in single precision."""
    return on(device, np.ascontiguousarray(array, dtype=np.float32))


def at(home: Home, array: np.ndarray) -> Array:
    """``array`` itself if ``home`` is None, else a tensor of it on the device ``home``."""
    return array if home is None else lazy_torch().from_numpy(array).to(home)


def home_of(array: Array) -> Home:
    """The target that :func:`at` copies to for the kind and the device of ``array``."""
    return None if is_numpys(array) else array.device


def fetched(array: Array) -> np.ndarray:
    """``array`` as a numpy array; itself if it is one already."""
    return array if is_numpys(array) else array.cpu().numpy()


def empty(shape: Sequence[int], like: Array) -> Array:
    """An uninitialised array with the kind, the type and the device of ``like``."""
    return np.empty(shape, like.dtype) if is_numpys(like) else like.new_empty(shape)


def zeros(shape: Sequence[int], like: Array) -> Array:
    """An array of zeros with the kind, the type and the device of ``like``."""
    return np.zeros(shape, like.dtype) if is_numpys(like) else like.new_zeros(shape)


def joined(several: Sequence[Array], axis: int = 0) -> Array:
    """Concatenate arrays along ``axis``; a single one is not copied."""
    if len(several) == 1:
        return several[0]
    if is_numpys(several[0]):
        return np.concatenate(several, axis)
    return lazy_torch().cat(list(several), axis)


def stacked(several: Sequence[Array]) -> Array:
    """Stack arrays of one shape along a new first axis."""
    return functions(several[0]).stack(list(several))


def repeated(values: Array, times: int) -> Array:
    """Repeat each value ``times`` along a new last axis."""
    if is_numpys(values):
        return np.repeat(values[..., None], times, axis=-1)
    return values.unsqueeze(-1).expand(*values.shape, times).contiguous()


def windows(values: Array, size: int, step: int) -> Array:
    """Windows of ``size`` values, ``step`` apart: ``[..., window, value]``; a view where possible."""
    if not is_numpys(values):
        return values.unfold(-1, size, step)
    values = np.ascontiguousarray(values)
    *outer, inner = values.strides
    shape = *values.shape[:-1], (values.shape[-1] - size) // step + 1, size
    # numpy's own ``sliding_window_view`` takes longer than a product with the windows.
    return np.ndarray(shape, values.dtype, values, 0, (*outer, step * inner, inner))


def product(left: Array, right: Array, out: Array | None = None) -> Array:
    """``left @ right`` of matrices, or of as many matrices on either side; not differentiable."""
    return functions(left).matmul(left, right, out=out)


def functions(of: Array) -> Any:
    """The module with the functions (``exp``, ``sin``, …) for arrays of this kind."""
    return np if is_numpys(of) else lazy_torch()


def taken(values: Array, index: np.ndarray) -> Array:
    """The values at ``index`` of the last axis, contiguous in memory."""
    if is_numpys(values):
        return values.take(index, axis=-1)
    return values[..., at(values.device, index)]


def put(values: Array, index: np.ndarray, new: Array) -> None:
    """Set the values at ``index`` of the last axis to ``new``."""
    values[..., index if is_numpys(values) else at(values.device, index)] = new


def phasors(turns: Array) -> Array:
    """``e^{2 pi j turns}``, complex64."""
    angle = turns * (2 * math.pi)
    if not is_numpys(angle):
        torch = lazy_torch()
        return torch.complex(torch.cos(angle), torch.sin(angle))
    found = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=found.real)
    np.sin(angle, out=found.imag)
    return found


def in_parts(values: Array) -> Array:
    """A complex array as a real one with interleaved parts: ``[..., value and part]``."""
    if is_numpys(values):
        return np.ascontiguousarray(values).view(np.float32)
    return lazy_torch().view_as_real(values).flatten(-2)


def of_parts(values: Array) -> Array:
    """The inverse of :func:`in_parts`; the same memory where ``values`` are contiguous."""
    if is_numpys(values):
        return np.ascontiguousarray(values).view(np.complex64)
    return lazy_torch().view_as_complex(values.unflatten(-1, (-1, 2)).contiguous())
