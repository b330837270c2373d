"""The kernel's contenders."""

import pytest
import torch

from auralis.audio import AudioFormat
from services.bench.kernel import contenders, kernel_rows


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_all_contenders_compute_the_same_sound(rate: int) -> None:
    """60 dB under it and less is what they differ by: the comparison is of equals."""
    sounds = {name: work() for name, work in contenders(AudioFormat(rate), torch.device("cpu")).items()}
    reference = sounds["eager torch.sin"]
    assert reference.shape == (2, rate // 10)
    for sound in sounds.values():
        assert (sound - reference).pow(2).mean().sqrt() < 1e-3 * reference.pow(2).mean().sqrt()


def test_ours_are_compared_with_the_sine() -> None:
    """And the sine with nothing."""
    rows = {row.measure: row for row in kernel_rows(2, torch.device("cpu"))}
    assert [row.ratio is not None for row in rows.values()] == [True] * 5 + [False] * 2
