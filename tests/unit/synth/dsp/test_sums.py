"""Sparse sums against dense ones, with arrays of both kinds."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from services.synth.dsp import arrays
from services.synth.dsp.sums import Sums
from tests.device import numpy_of, of_kind

KINDS = ["numpy", "torch"]
# Two sums of rows, one of which has the same row twice, and one of nothing.
SOURCES = np.array([3, 0, 2, 2], np.int32)
STARTS = np.array([0, 1, 1, 4], np.int32)
WEIGHTS = np.array([0.5, 2.0, -1.0, 3.0], np.float32)


def dense() -> NDArray[np.float32]:
    """``[sum, row]``."""
    found = np.zeros((3, 4), np.float32)
    for each, (first, last) in enumerate(pairwise(STARTS)):
        np.add.at(found[each], SOURCES[first:last], WEIGHTS[first:last])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_sums_match_a_dense_matrix(kind: str) -> None:
    rows = np.random.default_rng(1).standard_normal((4, 6)).astype(np.float32)
    given = of_kind(kind, rows)
    found = Sums(SOURCES, STARTS, WEIGHTS, len(rows), arrays.home_of(given)).of(given)
    assert type(found) is type(given)
    assert numpy_of(found).dtype == np.float32
    assert np.allclose(numpy_of(found), dense() @ rows, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_s_bits_do_not_depend_on_its_neighbours(kind: str) -> None:
    """Its terms are added in the order of the sources."""
    rows = np.random.default_rng(2).standard_normal((4, 10)).astype(np.float32)
    sums = Sums(SOURCES, STARTS, WEIGHTS, len(rows), arrays.home_of(of_kind(kind, rows)))
    together = numpy_of(sums.of(of_kind(kind, rows)))
    for column in range(0, 10, 2):
        pair = np.ascontiguousarray(rows[:, column : column + 2])
        assert np.array_equal(numpy_of(sums.of(of_kind(kind, pair))), together[:, column : column + 2])
