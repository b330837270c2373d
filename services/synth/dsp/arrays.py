"""Arrays where they are computed: numpy's on the CPU, torch's on an accelerator.

A chunk is many small operations. On the CPU numpy begins one in a third of the time that torch takes, its
sines, exponentials and logarithms take half the time, and so does its BLAS for such shapes. What is written
in operators, slices, ``reshape`` and ``clip`` serves both; the rest is here.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

# ``NDArray`` or ``torch.Tensor``; never both in one expression.
Array: TypeAlias = Any
# The device of a tensor, None of an array of numpy's.
Home: TypeAlias = torch.device | None


def by_numpy(device: torch.device) -> bool:
    """Whether what lies on ``device`` is computed with by numpy, not by torch."""
    return device.type == "cpu"


def on(device: torch.device, array: np.ndarray) -> Array:
    """``array`` as it is computed with on ``device``."""
    return at(None if by_numpy(device) else device, array)


def single(device: torch.device, array: np.ndarray) -> Array:
    """``array`` on ``device`` in single precision."""
    return on(device, np.ascontiguousarray(array, dtype=np.float32))


def at(home: Home, array: np.ndarray) -> Array:
    """``array`` of the kind, and on the device, that ``home`` says."""
    return array if home is None else torch.from_numpy(array).to(home)


def home_of(array: Array) -> Home:
    """What :func:`at` needs for an array beside this one."""
    return array.device if isinstance(array, torch.Tensor) else None


def tensor(array: Array) -> torch.Tensor:
    """An array as a tensor: the same memory."""
    return array if isinstance(array, torch.Tensor) else torch.from_numpy(array)


def native(found: torch.Tensor) -> Array:
    """What torch has found as it is computed with where it lies: the same memory."""
    return found.numpy() if by_numpy(found.device) else found


def empty(shape: Sequence[int], like: Array) -> Array:
    """An array with anything in it, of the kind, the type and the device of another one."""
    return like.new_empty(shape) if isinstance(like, torch.Tensor) else np.empty(shape, like.dtype)


def joined(several: Sequence[Array], axis: int = 0) -> Array:
    """Arrays after another."""
    if len(several) == 1:
        return several[0]
    if isinstance(several[0], torch.Tensor):
        return torch.cat(list(several), axis)
    return np.concatenate(several, axis)


def stacked(several: Sequence[Array]) -> Array:
    """Arrays of one shape, along a new first axis."""
    return (torch if isinstance(several[0], torch.Tensor) else np).stack(list(several))


def repeated(values: Array, times: int) -> Array:
    """Every value so often, along a new last axis."""
    if isinstance(values, torch.Tensor):
        return values.unsqueeze(-1).expand(*values.shape, times).contiguous()
    return np.repeat(values[..., None], times, axis=-1)


def windows(values: Array, size: int, step: int) -> Array:
    """``[..., window, value]``: every ``size`` values that begin ``step`` apart; a view, where it can be."""
    if isinstance(values, torch.Tensor):
        return values.unfold(-1, size, step)
    values = np.ascontiguousarray(values)
    *outer, inner = values.strides
    shape = *values.shape[:-1], (values.shape[-1] - size) // step + 1, size
    # numpy's own view of windows takes longer than a product with them.
    return np.ndarray(shape, values.dtype, values, 0, (*outer, step * inner, inner))


def product(left: Array, right: Array, out: Array | None = None) -> Array:
    """``left @ right``: matrices, or as many of them on either side; not differentiable."""
    return (torch if isinstance(left, torch.Tensor) else np).matmul(left, right, out=out)


def functions(of: Array) -> Any:
    """The module with the functions of such an array: ``exp``, ``sin`` and their like."""
    return torch if isinstance(of, torch.Tensor) else np


def taken(values: Array, index: np.ndarray) -> Array:
    """Those at ``index`` of the last axis, side by side in memory."""
    if isinstance(values, torch.Tensor):
        return values[..., torch.from_numpy(index).to(values.device)]
    return values.take(index, axis=-1)


def put(values: Array, index: np.ndarray, new: Array) -> None:
    """Set those at ``index`` of the last axis."""
    values[..., torch.from_numpy(index).to(values.device) if isinstance(values, torch.Tensor) else index] = (
        new
    )


def phasors(turns: Array) -> Array:
    """``e^{2 pi j turns}``, complex64."""
    angle = turns * (2 * math.pi)
    if isinstance(angle, torch.Tensor):
        return torch.complex(torch.cos(angle), torch.sin(angle))
    found = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=found.real)
    np.sin(angle, out=found.imag)
    return found


def in_parts(values: Array) -> Array:
    """A complex array as a real one: ``[..., value and part]``."""
    if isinstance(values, torch.Tensor):
        return torch.view_as_real(values).flatten(-2)
    return np.ascontiguousarray(values).view(np.float32)
