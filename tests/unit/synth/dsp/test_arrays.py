"""Arrays of either kind: each function does the same to numpy's and to torch's."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.synth.dsp import arrays
from tests.device import numpy_of, of_kind

CPU = "cpu"
KINDS = ["numpy", "torch"]


def drawn(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("several", [(), (3,)])
def test_a_product_is_a_matrix_product(kind: str, several: tuple[int, ...]) -> None:
    """Of one matrix or many, contiguous and transposed, into new memory or a given array."""
    left, right = drawn(*several, 9, 21), drawn(*several, 33, 21).swapaxes(-1, -2)
    exact = np.einsum("...ij,...jk->...ik", left.astype(float), right.astype(float))
    one, other = of_kind(kind, left), of_kind(kind, right)
    out = arrays.empty(exact.shape, like=one)
    for found in (arrays.product(one, other), arrays.product(one, other, out)):
        assert type(found) is type(one)
        assert np.allclose(numpy_of(found), exact, rtol=0, atol=1e-4)
    assert np.allclose(numpy_of(out), exact, rtol=0, atol=1e-4)


def test_bits_of_a_product_do_not_depend_on_where_the_matrices_lie() -> None:
    """The same bits at other addresses: a slice of a batch is as good as a batch of its own."""
    left, right = drawn(10, 26), drawn(26, 966)
    first, memory = arrays.product(left, right), np.zeros(right.size + 7, dtype=np.float32)
    for offset in (1, 3, 7):
        memory[offset : offset + right.size] = right.ravel()
        moved = memory[offset : offset + right.size].reshape(26, 966)
        assert np.array_equal(arrays.product(left, moved), first)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_are_joined_along_an_axis(kind: str) -> None:
    """A single one is not copied."""
    one, other = drawn(2, 3), drawn(2, 4)
    both = arrays.joined([of_kind(kind, one), of_kind(kind, other)], axis=1)
    assert np.array_equal(numpy_of(both), np.concatenate([one, other], axis=1))
    alone = of_kind(kind, one)
    assert arrays.joined([alone]) is alone


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_one_shape_are_stacked(kind: str) -> None:
    """Along a new first axis."""
    one, other = drawn(2, 3), drawn(2, 3) + 1
    both = arrays.stacked([of_kind(kind, one), of_kind(kind, other)])
    assert type(both) is type(of_kind(kind, one))
    assert np.array_equal(numpy_of(both), np.stack([one, other]))


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_repeated_along_a_new_axis(kind: str) -> None:
    """The result has memory of its own."""
    values = drawn(2, 3)
    found = arrays.repeated(of_kind(kind, values), 4)
    assert np.array_equal(numpy_of(found), np.stack([values] * 4, axis=-1))
    found *= 2
    assert np.array_equal(values, drawn(2, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_complex_values_are_pairs_of_real_ones(kind: str) -> None:
    """Real and imaginary part lie side by side."""
    values = np.array([[1 + 2j, 3 - 4j]], dtype=np.complex64)
    assert np.array_equal(numpy_of(arrays.in_parts(of_kind(kind, values))), [[1, 2, 3, -4]])


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_the_last_axis_are_taken_and_put(kind: str) -> None:
    """Taken values are contiguous; an index that occurs twice is put once."""
    values, index = drawn(3, 8), np.array([1, 4, 4])
    found = of_kind(kind, values.copy())
    some = arrays.taken(found, index)
    assert np.array_equal(numpy_of(some), values[:, index])
    assert some.strides[-1] == 4 if kind == "numpy" else some.is_contiguous()
    arrays.put(found, index, some * 2)
    expected = values.copy()
    expected[:, [1, 4]] *= 2
    assert np.array_equal(numpy_of(found), expected)
    arrays.put(found, index, 1.0)
    expected[:, [1, 4]] = 1
    assert np.array_equal(numpy_of(found), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_phasors_turn_once_a_turn(kind: str) -> None:
    """In single precision, within 1e-6."""
    turns = np.linspace(0, 1, 97, dtype=np.float32)
    found = arrays.phasors(of_kind(kind, turns))
    exact = np.exp(2j * np.pi * turns.astype(float))
    assert numpy_of(found).dtype == np.complex64
    assert np.abs(numpy_of(found) - exact).max() < 1e-6


def test_each_kind_has_its_functions() -> None:
    for kind, module in zip(KINDS, (np, torch), strict=True):
        assert arrays.functions(of_kind(kind, drawn(2))) is module


def test_on_the_cpu_an_array_is_not_copied() -> None:
    values = drawn(4)
    assert arrays.on(CPU, values) is values
    assert arrays.fetched(values) is values


def test_single_gives_contiguous_single_precision() -> None:
    """Whatever the type and the order in memory were."""
    found = arrays.single(CPU, np.arange(12.0).reshape(3, 4).T)
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    assert arrays.single("meta", np.arange(3)).dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_new_arrays_have_the_kind_and_device_of_another(kind: str) -> None:
    """With `empty` and `zeros`, its type, too."""
    values = of_kind(kind, drawn(4))
    beside = arrays.at(arrays.home_of(values), drawn(3))
    assert type(beside) is type(values)
    for made in (arrays.empty((2, 3), like=values), arrays.zeros((2, 3), like=values)):
        assert type(made) is type(values)
        assert (made.dtype, tuple(made.shape)) == (values.dtype, (2, 3))
    assert not made.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_complex_array_is_taken_apart_and_put_together(kind: str) -> None:
    """Parts are interleaved; strided arrays work, too."""
    values = drawn(6, 4)[:, ::2]
    parts = arrays.in_parts(arrays.of_parts(of_kind(kind, values)))
    assert arrays.of_parts(parts).shape == (6, 1)
    assert np.array_equal(numpy_of(parts), values)


def test_an_accelerator_has_tensors() -> None:
    """An array copied to another device is a tensor there."""
    found = arrays.on("meta", drawn(4))
    assert isinstance(found, torch.Tensor)
    assert arrays.home_of(found) == torch.device("meta")
