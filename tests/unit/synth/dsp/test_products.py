"""Products by numpy's BLAS are torch's, up to the rounding."""

import numpy as np
import torch

from services.synth.dsp.products import product


def test_it_is_the_matrix_product() -> None:
    """Of matrices that lie in memory as they are, as slices, and turned round."""
    draw = np.random.default_rng(1)
    left, right = (torch.from_numpy(draw.standard_normal(shape)) for shape in ((9, 21), (21, 33)))
    for one, other in ((left, right), (left[::2, ::2], right[::2]), (right.T, left.T)):
        exact = (one[:, :, None] * other[None]).sum(1)
        found = product(one.float(), other.float())
        assert found.dtype == torch.float32
        assert torch.allclose(found.double(), exact, rtol=0, atol=1e-4)


def test_bits_do_not_depend_on_where_the_matrices_lie() -> None:
    """At other addresses the same bits: a slice of a batch is as good as a batch of its own."""
    draw = np.random.default_rng(2)
    left, right = (
        torch.from_numpy(draw.standard_normal(s).astype(np.float32)) for s in ((10, 26), (26, 966))
    )
    first = product(left, right)
    memory = torch.zeros(right.numel() + 7)
    for offset in (1, 3, 7):
        memory[offset : offset + right.numel()] = right.flatten()
        assert torch.equal(product(left, memory[offset : offset + right.numel()].reshape(26, 966)), first)
