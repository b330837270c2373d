"""None is silence."""

import torch

from services.synth.mix.silence import crossfaded, total

ONE, OTHER = torch.ones(2, 4), torch.full((2, 4), 3.0)
SHARE = torch.linspace(0, 1, 4)


def test_silence_adds_nothing() -> None:
    """A sum with silence is the other signal itself."""
    assert total(None, None) is None
    assert total(ONE, None) is ONE
    assert total(None, OTHER) is OTHER
    assert torch.equal(total(ONE, OTHER), ONE + OTHER)  # type: ignore[arg-type]


def test_a_crossfade_begins_as_the_one_and_ends_as_the_other() -> None:
    """Out of silence and into it, too; equal signals stay bit by bit."""
    for old, new in ((ONE, OTHER), (None, OTHER), (ONE, None)):
        faded = crossfaded(old, new, SHARE)
        assert faded is not None
        assert torch.equal(faded[:, 0], torch.zeros(2) if old is None else old[:, 0])
        assert torch.equal(faded[:, -1], torch.zeros(2) if new is None else new[:, -1])
    noise = torch.randn(2, 4)
    assert torch.equal(crossfaded(noise, noise, SHARE), noise)  # type: ignore[arg-type]
    assert crossfaded(None, None, SHARE) is None
