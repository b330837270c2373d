"""Terms of partials: finite for every patch."""

import numpy as np
import pytest

from services.synth.patches.library import library
from services.synth.voices import terms
from tests.unit.synth.players import voices_of_note


@pytest.mark.parametrize("name", sorted(library()))
def test_every_patch_has_finite_terms(name: str) -> None:
    """Logarithms and quotients are finite without a filter, without gain, without an end."""
    for voice in voices_of_note(library()[name]):
        found = terms.terms_of(voice.rows.table)
        assert found.shape == (terms.COUNT, len(voice.rows))
        assert np.isfinite(found).all()
        assert np.array_equal(found[terms.EARS], voice.rows.stereo.T)
