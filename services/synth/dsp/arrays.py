"""Arrays where they are computed: numpy's on the CPU, torch's on an accelerator.

A chunk is many small operations. On the CPU numpy begins one in a third of the time that torch takes, its
sines, exponentials and logarithms take half the time, and so does its BLAS for such shapes. Torch is not even
loaded there: that takes longer than all the rest of a worker's beginning. What is written in operators,
slices, ``reshape`` and ``clip`` serves both; the rest is here.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

import numpy as np

if TYPE_CHECKING:
    import torch

# As torch names it: ``cpu``, ``cuda``, ``mps``.
Device: TypeAlias = str
CPU: Final[Device] = "cpu"
# ``NDArray`` or ``torch.Tensor``; never both in one expression.
Array: TypeAlias = Any
# The device of a tensor, None of an array of numpy's.
Home: TypeAlias = "torch.device | Device | None"


def lazy_torch() -> Any:
    """Torch, for whoever computes with it; loaded at the first call."""
    import torch  # noqa: PLC0415

    return torch


def by_numpy(device: Device) -> bool:
    """Whether what lies on ``device`` is computed with by numpy, not by torch."""
    return device == CPU


def is_numpys(array: Array) -> TypeGuard[np.ndarray]:
    """Whether an array is one of numpy's, not of torch's."""
    return isinstance(array, np.ndarray)


def computing(device: Device) -> AbstractContextManager[None]:
    """A block that computes on ``device``; by torch it takes a tenth less, as nothing is differentiated."""
    return nullcontext() if by_numpy(device) else lazy_torch().inference_mode()


def home(device: Device) -> Home:
    """What :func:`at` needs for an array on ``device``."""
    return None if by_numpy(device) else device


def on(device: Device, array: np.ndarray) -> Array:
    """``array`` as it is computed with on ``device``."""
    return at(home(device), array)


def single(device: Device, array: np.ndarray) -> Array:
    """``array`` on ``device`` in single precision."""
    return on(device, np.ascontiguousarray(array, dtype=np.float32))


def at(home: Home, array: np.ndarray) -> Array:
    """``array`` of the kind, and on the device, that ``home`` says."""
    return array if home is None else lazy_torch().from_numpy(array).to(home)


def home_of(array: Array) -> Home:
    """What :func:`at` needs for an array beside this one."""
    return None if is_numpys(array) else array.device


def fetched(array: Array) -> np.ndarray:
    """An array as one of numpy's; where it was one, the same."""
    return array if is_numpys(array) else array.cpu().numpy()


def empty(shape: Sequence[int], like: Array) -> Array:
    """An array with anything in it, of the kind, the type and the device of another one."""
    return np.empty(shape, like.dtype) if is_numpys(like) else like.new_empty(shape)


def zeros(shape: Sequence[int], like: Array) -> Array:
    """An array of zeros, of the kind, the type and the device of another one."""
    return np.zeros(shape, like.dtype) if is_numpys(like) else like.new_zeros(shape)


def joined(several: Sequence[Array], axis: int = 0) -> Array:
    """Arrays after another."""
    if len(several) == 1:
        return several[0]
    if is_numpys(several[0]):
        return np.concatenate(several, axis)
    return lazy_torch().cat(list(several), axis)


def stacked(several: Sequence[Array]) -> Array:
    """Arrays of one shape, along a new first axis."""
    return functions(several[0]).stack(list(several))


def repeated(values: Array, times: int) -> Array:
    """Every value so often, along a new last axis."""
    if is_numpys(values):
        return np.repeat(values[..., None], times, axis=-1)
    return values.unsqueeze(-1).expand(*values.shape, times).contiguous()


def windows(values: Array, size: int, step: int) -> Array:
    """``[..., window, value]``: every ``size`` values that begin ``step`` apart; a view, where it can be."""
    if not is_numpys(values):
        return values.unfold(-1, size, step)
    values = np.ascontiguousarray(values)
    *outer, inner = values.strides
    shape = *values.shape[:-1], (values.shape[-1] - size) // step + 1, size
    # numpy's own view of windows takes longer than a product with them.
    return np.ndarray(shape, values.dtype, values, 0, (*outer, step * inner, inner))


def product(left: Array, right: Array, out: Array | None = None) -> Array:
    """``left @ right``: matrices, or as many of them on either side; not differentiable."""
    return functions(left).matmul(left, right, out=out)


def functions(of: Array) -> Any:
    """The module with the functions of such an array: ``exp``, ``sin`` and their like."""
    return np if is_numpys(of) else lazy_torch()


def taken(values: Array, index: np.ndarray) -> Array:
    """Those at ``index`` of the last axis, side by side in memory."""
    if is_numpys(values):
        return values.take(index, axis=-1)
    return values[..., at(values.device, index)]


def put(values: Array, index: np.ndarray, new: Array) -> None:
    """Set those at ``index`` of the last axis."""
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
    """A complex array as a real one: ``[..., value and part]``."""
    if is_numpys(values):
        return np.ascontiguousarray(values).view(np.float32)
    return lazy_torch().view_as_real(values).flatten(-2)


def of_parts(values: Array) -> Array:
    """What :func:`in_parts` has made, complex again: the same memory where that is contiguous."""
    if is_numpys(values):
        return np.ascontiguousarray(values).view(np.complex64)
    return lazy_torch().view_as_complex(values.unflatten(-1, (-1, 2)).contiguous())
