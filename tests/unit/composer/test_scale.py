from auralis.keys import parse_key
from services.composer.scale import diatonic_number, pitches_of, scale_of


def test_relative_keys_share_their_tones():
    assert set(scale_of(parse_key("A minor"))) == set(scale_of(parse_key("C major")))


def test_an_altered_tone_takes_the_place_of_its_step():
    assert scale_of(parse_key("D major"), {5: 6}) == (2, 4, 6, 8, 9, 11, 1)


def test_an_octave_is_seven_steps_and_a_scale_counts_up():
    scale = scale_of(parse_key("E minor"))
    numbers = [diatonic_number(pitch, scale) for pitch in pitches_of(scale, 40, 76)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_tone_between_two_steps_counts_as_the_lower():
    scale = scale_of(parse_key("C major"))
    assert diatonic_number(61, scale) == diatonic_number(60, scale)
