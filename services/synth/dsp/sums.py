"""Sparse sums: each one a weighted sum of a few rows, added in a fixed order."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array, Home

if TYPE_CHECKING:
    import torch


class _Bag(NamedTuple):
    """A sparse matrix as bags of embeddings: each bag is a row of it, added in the order of its entries."""

    sources: "torch.Tensor"
    starts: "torch.Tensor"
    weights: "torch.Tensor"

    def __matmul__(self, rows: "torch.Tensor") -> "torch.Tensor":
        found: torch.Tensor
        found, *_ = arrays.lazy_torch().embedding_bag(
            rows, self.sources, self.starts, mode=0, per_sample_weights=self.weights, include_last_offset=True
        )
        return found


class Sums:
    """Which of ``count`` rows each sum is made of, with which weights.

    Sum ``s`` adds up the rows ``sources`` times ``weights`` of the entries from ``starts[s]`` on and before
    ``starts[s + 1]``: ``sources`` and ``weights`` are ``[entry]``, ``starts`` is ``[sum + 1]``. ``home`` is
    where the rows will be.
    """

    def __init__(
        self,
        sources: NDArray[np.int32],
        starts: NDArray[np.int32],
        weights: NDArray[np.float32],
        count: int,
        home: Home,
    ) -> None:
        if home is None:
            shape = len(starts) - 1, count
            self._matrix: csr_array | _Bag = csr_array((weights, sources, starts), shape=shape)
        else:
            self._matrix = _Bag(*(arrays.at(home, each) for each in (sources, starts, weights)))

    def of(self, rows: Array) -> Array:
        """The sums of ``rows``, float32, ``[row, value]``: ``[sum, value]``."""
        return self._matrix @ rows
