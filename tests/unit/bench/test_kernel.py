"""The competing kernels."""

import numpy as np
import pytest

from auralis.audio import AudioFormat
from services.bench.kernel import contenders, kernel_rows
from tests.device import numpy_of


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_all_contenders_compute_the_same_sound(rate: int) -> None:
    """Their differences are at least 60 dB below the sound, so the comparison is of equals."""
    sounds = {name: numpy_of(work()) for name, work in contenders(AudioFormat(rate), "cpu").items()}
    reference = sounds["eager torch.sin"]
    assert reference.shape == (2, rate // 10)
    for sound in sounds.values():
        assert np.std(sound - reference) < 1e-3 * np.std(reference)


def test_ours_are_compared_with_the_sine() -> None:
    """The sine itself is compared with nothing."""
    rows = {row.measure: row for row in kernel_rows(2, "cpu")}
    assert [row.ratio is not None for row in rows.values()] == [True] * 5 + [False] * 2
