"""Sums of signals that may be silent: None is exact silence, and costs nothing."""

import torch

from services.synth.dsp.arrays import Array


def total(one: Array | None, other: Array | None) -> Array | None:
    """Both, ``[ear, frame]``."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def crossfaded(
    old: torch.Tensor | None, new: torch.Tensor | None, share: torch.Tensor
) -> torch.Tensor | None:
    """``old`` into ``new`` (``[ear, frame]``) by ``share`` (``[frame]``, 0 to 1).

    What is the same in both stays exactly as it is.
    """
    if new is None:
        return None if old is None else old * (1 - share)
    return new * share if old is None else old + (new - old) * share
