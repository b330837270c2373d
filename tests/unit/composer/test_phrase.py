import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.keys import parse_key
from services.composer.balance import Balance
from services.composer.chords import DEGREES, harmony_of
from services.composer.form import SECTIONS, Form
from services.composer.motif import Motif
from services.composer.phrase import Phrase, Stretch, fitted
from services.composer.pitches import HIGHEST, LOWEST
from services.composer.scene import Scene
from tests.unit.composer.pieces import unhurried

CHORDS = [
    harmony_of(parse_key("Eb minor"), degree, quality)
    for degree, spec in DEGREES["minor"].items()
    for quality in spec.qualities
]
stretches = st.builds(
    lambda beat, chord, upcoming, left, mbpm: Stretch(beat * 4, chord, upcoming, (beat + left) * 4, mbpm),
    st.integers(0, 500),
    st.sampled_from(CHORDS),
    st.sampled_from(CHORDS),
    st.integers(1, 32),
    st.integers(40_000, 120_000),
)
shapes = st.builds(
    lambda halves, steps: Motif(tuple(steps[: len(halves) - 1]), tuple(halves)),
    st.lists(st.sampled_from((1, 2, 3, 4, 6, 8, 12, 24)), min_size=2, max_size=7),
    st.just([]) | st.lists(st.integers(-4, 4), min_size=6, max_size=6),
)
scenes = st.builds(
    lambda seed, level, name: Scene(seed, level, Form(name, 0, 300)),
    st.integers(0, 99),
    st.integers(0, 1000),
    st.sampled_from(list(SECTIONS)),
)


@unhurried
@given(stretches, shapes, scenes)
def test_whatever_the_harmony_and_the_shape_a_phrase_fits_into_range_time_and_scale(stretch, shape, scene):
    notes, motif, _ = Phrase(3, fitted(shape, stretch), stretch, scene, Balance()).sung()
    assert 2 <= len(notes) <= len(shape.halves)
    assert motif.halves == tuple(note.ticks // stretch.half_ticks for note in notes)
    assert stretch.tick <= notes[0].tick
    assert notes[-1].tick + notes[-1].ticks <= stretch.tick + stretch.longest
    for place, note in enumerate(notes):
        assert LOWEST <= note.pitch <= HIGHEST
        assert 0 < note.velocity <= 1000
        over = stretch.chords(note.tick, note.ticks)
        if any(note.pitch % 12 not in chord.scale for chord in over):
            assert 0 < place < len(notes) - 1
            assert note.tick % 8


def test_a_note_over_a_change_of_chord_belongs_to_both_scales():
    i, neapolitan = CHORDS[0], harmony_of(parse_key("Eb minor"), "bII", "maj7")
    stretch = Stretch(0, i, neapolitan, 8, 60_000)
    for seed in range(40):
        scene = Scene(seed, 500, Form("drift", 0, 300))
        notes, _, _ = Phrase(0, Motif((), (2, 8, 4)), stretch, scene, Balance()).sung()
        spanning = [note for note in notes if note.tick < 8 < note.tick + note.ticks]
        assert all(note.pitch % 12 in set(i.scale) & set(neapolitan.scale) for note in spanning)


@pytest.mark.parametrize(("mbpm", "ticks"), [(60_000, 2), (100_000, 4)])
def test_at_a_fast_tempo_rhythms_count_twice_as_long(mbpm, ticks):
    assert Stretch(0, CHORDS[0], CHORDS[0], 16, mbpm).half_ticks == ticks


def test_a_phrase_swells_to_its_middle_and_ends_softly():
    stretch = Stretch(0, CHORDS[0], CHORDS[0], 64, 60_000)
    shape = Motif((), (2, 2, 2, 2, 2))
    velocities = [0] * 5
    for seed in range(50):
        notes, _, _ = Phrase(0, shape, stretch, Scene(seed, 500, Form("drift", 0, 300)), Balance()).sung()
        velocities = [total + note.velocity for total, note in zip(velocities, notes, strict=True)]
    assert velocities[2] == max(velocities)
    assert velocities[4] == min(velocities)
