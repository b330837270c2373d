"""Choosing where to render."""

from pathlib import Path

import pytest
import torch

from auralis.errors import InvalidValue
from services.synth import device


@pytest.fixture
def accelerated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that may have an accelerator."""
    monkeypatch.setattr(device, "may_be_accelerated", lambda: True)


@pytest.mark.usefixtures("accelerated")
def test_auto_takes_the_first_available_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Metal before the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.available()[0] == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.choose("auto") == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose("auto") == "cpu"


def test_an_unavailable_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what was wanted and what there is; torch is asked, whatever the signs."""
    monkeypatch.setattr(device, "may_be_accelerated", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidValue, match=r"AURALIS_DEVICE: found 'cuda', allowed: .*cpu"):
        device.choose("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose("cuda") == "cuda"


def test_for_the_cpu_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither if the CPU is wanted, nor if auto finds no sign of an accelerator."""
    monkeypatch.setattr(device, "available", lambda: pytest.fail("asked"))
    monkeypatch.setattr(device, "may_be_accelerated", lambda: False)
    assert device.choose("auto") == "cpu"
    monkeypatch.setattr(device, "may_be_accelerated", lambda: True)
    assert device.choose("cpu") == "cpu"


@pytest.mark.parametrize(
    ("system", "machine", "found"),
    [
        ("linux", "x86_64", False),
        ("darwin", "arm64", True),
        ("darwin", "x86_64", False),
        ("win32", "AMD64", True),
    ],
)
def test_without_a_sign_only_some_systems_may_have_an_accelerator(
    system: str, machine: str, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.sys, "platform", system)
    monkeypatch.setattr(device.platform, "machine", lambda: machine)
    assert device.may_be_accelerated(()) == found


def test_a_drivers_device_file_is_a_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.sys, "platform", "linux")
    sign = tmp_path / "nvidiactl"
    assert not device.may_be_accelerated((str(sign),))
    sign.touch()
    assert device.may_be_accelerated((str(sign),))
