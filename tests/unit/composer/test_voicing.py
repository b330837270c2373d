from hypothesis import given
from hypothesis import strategies as st

from auralis.keys import parse_key
from services.composer.chords import DEGREES, harmony_of
from services.composer.voicing import Ground, bass_pitch, voice
from tests.unit.composer.pieces import unhurried

CHORDS = [
    harmony_of(parse_key(f"C {mode}"), degree, quality)
    for mode, degrees in DEGREES.items()
    for degree, spec in degrees.items()
    for quality in spec.qualities
]


def voiced(chords, shifts):
    """The voicings of a sequence of (chord, transposition), bass first."""
    voicing, result = None, []
    for (chord, up), shift in zip(chords, shifts, strict=True):
        tones = tuple((tone + up) % 12 for tone in chord.tones)
        bass_before = voicing[0] if voicing else None
        bass = bass_pitch((chord.bass + up) % 12, bass_before)
        upper = voice(Ground(tones, bass, shift), voicing[1:] if voicing else None, bass_before)
        voicing = (bass, *upper)
        result.append((tones, voicing))
    return result


sequences = st.lists(
    st.tuples(st.sampled_from(CHORDS), st.integers(0, 11), st.integers(-6, 6)), min_size=1, max_size=12
)


@unhurried
@given(sequences)
def test_any_sequence_of_chords_in_any_keys_and_registers_has_four_ascending_voices(sequence):
    for tones, (bass, *upper) in voiced([item[:2] for item in sequence], [item[2] for item in sequence]):
        assert len(upper) == 4
        assert bass < upper[0] < upper[1] < upper[2] < upper[3]
        assert all(pitch % 12 in tones for pitch in upper)
        assert 33 <= bass <= 49
        assert upper[0] >= 48
        assert upper[3] <= 79


def test_the_same_chord_again_stays_where_it_is():
    (_, first), (_, second) = voiced([(CHORDS[0], 0)] * 2, [0, 0])
    assert first == second


def test_a_common_tone_stays_and_the_others_step():
    cmaj9, am7 = Ground((0, 2, 4, 7, 11), 36), Ground((9, 0, 4, 7), 45)
    assert voice(am7, (55, 62, 64, 71), 36) in ((55, 60, 64, 69), (55, 60, 64, 72))
    assert voice(cmaj9, (55, 62, 64, 71), 36) == (55, 62, 64, 71)


def test_the_bass_takes_the_nearest_octave():
    assert bass_pitch(9, 40) == 45
    assert bass_pitch(9, 36) == 33


def test_a_bound_tone_is_left_by_step():
    ground = Ground(tones=(0, 2, 4, 7), bass=36, bound=frozenset({8}))
    after = voice(ground, (56, 60, 64, 67), 36)
    assert abs(after[0] - 56) <= 2


def test_the_highest_voice_moves_where_it_is_stirred():
    before = (57, 60, 64, 67)
    assert voice(Ground((0, 4, 7, 9), 36), before, 36)[-1] == 67
    assert voice(Ground((0, 4, 7, 9), 36, stirs=True), before, 36)[-1] != 67
