import pytest

from auralis.keys import KEY_NAMES, parse_key
from services.composer.chords import DEGREES, QUALITIES, harmony_of
from services.composer.scale import scale_of

CHORDS = [
    (mode, degree, quality)
    for mode, degrees in DEGREES.items()
    for degree, spec in degrees.items()
    for quality in spec.qualities
]


@pytest.mark.parametrize(("mode", "degree", "quality"), CHORDS)
def test_a_chord_lies_in_the_scale_that_goes_with_it(mode, degree, quality):
    chord = harmony_of(parse_key(f"F# {mode}"), degree, quality)
    assert set(chord.tones) | {chord.bass} <= set(chord.scale)


@pytest.mark.parametrize(("mode", "degree", "quality"), CHORDS)
def test_only_borrowed_chords_leave_the_key(mode, degree, quality):
    key = parse_key(f"C {mode}")
    leaves = not set(harmony_of(key, degree, quality).tones) <= set(scale_of(key))
    assert leaves == DEGREES[mode][degree].borrowed


def test_no_chord_is_a_dominant_seventh():
    assert not any({0, 4, 10} <= set(steps) for steps in QUALITIES.values())


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_pedal_takes_the_bass_and_leaves_the_root(name):
    key = parse_key(name)
    chord = harmony_of(key, "V" if key.mode == "major" else "VII", "sus2", pedal=0)
    assert chord.bass == key.tonic != chord.root == chord.tones[0]
