"""``auralis render`` as it is called."""

from pathlib import Path

import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import InvalidValue
from services.offline.__main__ import Order, main

AUDIO = AudioFormat()


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice the same arguments: twice the same file, of the length that was asked for."""
    paths = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path in paths:
        assert main(Order(3, 0.05, Controls(), path, AUDIO)) == 0
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) == 44 + 30 * AUDIO.bytes_per_chunk


@pytest.mark.parametrize(
    ("seed", "minutes", "name"),
    [(-1, 1.0, "seed"), (2**32, 1.0, "seed"), (1, 0.0, "minutes"), (1, 1e6, "minutes")],
)
def test_wrong_values_are_named_before_anything_is_written(
    tmp_path: Path, seed: int, minutes: float, name: str
) -> None:
    """One line with what is allowed."""
    with pytest.raises(InvalidValue, match=f"{name}: found"):
        Order(seed, minutes, Controls(), tmp_path / "x.wav", AUDIO)
    assert not list(tmp_path.iterdir())
