"""Choosing where to render."""

import pytest

from auralis.errors import InvalidValue
from services.synth import device


def test_auto_takes_the_first_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Metal before the CPU."""
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: True)
    assert device.available()[0] == "cuda"
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device.torch.backends.mps, "is_available", lambda: True)
    assert device.choose("auto").type == "mps"
    monkeypatch.setattr(device.torch.backends.mps, "is_available", lambda: False)
    assert device.choose("auto").type == "cpu"


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what was wanted and what there is."""
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidValue, match=r"AURALIS_DEVICE: found 'cuda', allowed: .*cpu"):
        device.choose("cuda")
