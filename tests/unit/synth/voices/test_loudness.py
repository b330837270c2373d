"""How loud partials can get: never louder than the stated bound."""

import numpy as np
import pytest

from services.synth.patches.library import library
from services.synth.patches.schema import Harmonics
from services.synth.voices import levels
from services.synth.voices.loudness import levels_db, loudest_db
from services.synth.voices.terms import SLOW, terms_of
from services.synth.voices.voice import BRIGHTNESSES
from tests.unit.synth.players import patch_of, voices_of_note

NAMES = ("warm_pad", "choir", "strings", "felt_piano", "church_bell", "drone")


@pytest.mark.parametrize("name", NAMES)
def test_no_partial_exceeds_its_upper_bound(name: str) -> None:
    """At any brightness of each range, any intensity and any time, in either ear."""
    rows = voices_of_note(library()[name], velocity=0.9)[0].rows
    terms = terms_of(rows.table)[SLOW]
    loudest, dark = loudest_db(rows), 0.0
    times = np.repeat(np.linspace(0, 60, 241, dtype=np.float32)[:, None], len(rows), axis=1)
    for bound_db, light in zip(loudest, BRIGHTNESSES, strict=True):
        for brightness in (dark, (dark + light) / 2, light):
            for intensity in (0.0, 0.5, 1.0):
                asked = levels.asked([(np.full(1, brightness), np.full(1, intensity))])
                level = levels.slow_levels(terms, times, asked).max(axis=0)
                level_db = 20 * np.log10(level * rows.stereo.max(axis=1) + 1e-12)
                assert (level_db <= bound_db + 0.01).all()
        dark = light


def test_brighter_is_never_quieter() -> None:
    """A filter that opens lets more of every partial through."""
    rows = voices_of_note(library()["warm_pad"])[0].rows
    found = np.array([levels_db(rows, brightness) for brightness in BRIGHTNESSES])
    assert (np.diff(found, axis=0) > -1e-9).all()
    assert (found[-1] - found[0]).max() > 10


def test_without_filter_and_morph_levels_are_gains() -> None:
    """Without a filter or a morph a partial's level is its gain."""
    rows = voices_of_note(patch_of(partials=Harmonics(count=5)))[0].rows
    assert np.allclose(levels_db(rows), 20 * np.log10(rows.slow[:, 0]), atol=1e-3)
