"""Transforms of both kinds against numpy's in float64; each row by itself."""

from typing import Literal

import numpy as np
import pytest

from services.synth.dsp import transforms
from services.synth.dsp.arrays import Array
from tests.device import numpy_of, of_kind

KINDS = ["numpy", "torch"]
# The sizes that the convolution and steady partials transform, at both rates.
SIZES = [9000, 9720, 6720, 7200, 1344, 1440]


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def alike(found: Array, exact: np.ndarray) -> bool:
    """To single precision."""
    return float(np.abs(numpy_of(found) - exact).max()) < 2e-6 * float(np.abs(exact).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(kind: str, size: int) -> None:
    rows = drawn(3, size)
    found = transforms.forward(of_kind(kind, rows))
    assert numpy_of(found).dtype == np.complex64
    assert alike(found, np.fft.rfft(rows.astype(float)))
    back = transforms.inverse(found, size)
    assert numpy_of(back).dtype == np.float32
    assert alike(back, rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["backward", "forward"])
def test_back_from_strided_bins(kind: str, norm: Literal["backward", "forward"]) -> None:
    """Divided by the number of samples, or not scaled."""
    spectra = np.fft.rfft(drawn(5, 1344)).astype(np.complex64).T.copy()
    found = transforms.inverse(of_kind(kind, spectra).T, 1344, norm)
    assert alike(found, np.fft.irfft(spectra.T.astype(complex), 1344, norm=norm))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 33])
def test_a_row_s_bits_do_not_depend_on_the_others(kind: str, size: int, count: int) -> None:
    """However many of the rows are transformed at once."""
    rows = drawn(33, size)
    together = numpy_of(transforms.forward(of_kind(kind, rows)))
    assert np.array_equal(numpy_of(transforms.forward(of_kind(kind, rows[:count].copy()))), together[:count])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [9000, 9720])
@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_a_chunk_s_bits_do_not_depend_on_the_others(kind: str, size: int, count: int) -> None:
    """In the inverse transform, two ears per chunk."""
    spectra = np.fft.rfft(drawn(16, 2, size)).astype(np.complex64)
    together = numpy_of(transforms.inverse(of_kind(kind, spectra), size))
    some = transforms.inverse(of_kind(kind, spectra[:count].copy()), size)
    assert np.array_equal(numpy_of(some), together[:count])
