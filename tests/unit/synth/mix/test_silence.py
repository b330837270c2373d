"""Sums and crossfades in which None is silence."""

import numpy as np

from services.synth.mix.silence import crossfaded, total
from tests.device import numpy_of, there

ONE, OTHER = there(np.ones((2, 4))), there(np.full((2, 4), 3.0))
SHARE = np.linspace(0, 1, 4)


def test_silence_adds_nothing() -> None:
    """A sum with silence is the other signal itself."""
    assert total(None, None) is None
    assert total(ONE, None) is ONE
    assert total(None, OTHER) is OTHER
    assert np.array_equal(numpy_of(total(ONE, OTHER)), np.full((2, 4), 4.0))


def test_a_crossfade_begins_as_one_and_ends_as_the_other() -> None:
    """From silence and to silence, too; equal signals keep their bits."""
    for old, new in ((ONE, OTHER), (None, OTHER), (ONE, None)):
        faded = numpy_of(crossfaded(old, new, SHARE))
        assert faded.dtype == np.float32
        assert np.array_equal(faded[:, 0], np.zeros(2) if old is None else numpy_of(old)[:, 0])
        assert np.array_equal(faded[:, -1], np.zeros(2) if new is None else numpy_of(new)[:, -1])
    noise = there(np.random.default_rng(1).standard_normal((2, 4)))
    assert np.array_equal(numpy_of(crossfaded(noise, noise, SHARE)), numpy_of(noise))
    assert crossfaded(None, None, SHARE) is None
