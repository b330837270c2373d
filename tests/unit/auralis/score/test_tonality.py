"""Deriving keys from chords."""

import pytest

from auralis.keys import KEY_NAMES, Key, parse_key
from auralis.score.events import Chord
from auralis.score.tonality import key_at, keys_of, tonic_of
from services.composer.chords import DEGREES


def chord(root: int, degree: str, at_frame: int = 0) -> Chord:
    return Chord(at_frame, 100, root % 12, "add9", degree, (48.0 + root,))


@pytest.mark.parametrize("name", KEY_NAMES)
def test_every_degree_that_is_composed_names_its_tonic(name: str) -> None:
    """All degrees of both modes, borrowed ones too."""
    key = parse_key(name)
    for degree, described in DEGREES[key.mode].items():
        assert tonic_of(chord(key.tonic + described.root, degree)) == key.tonic


def test_a_key_lasts_until_another_one_begins() -> None:
    """A pivot chord names its degree in both keys; the second one counts."""
    chords = [chord(9, "i"), chord(5, "VI", 100), chord(2, "iv=ii", 200), chord(0, "I", 300)]
    marks = keys_of(chords)
    assert marks == [(0, Key(9, "minor")), (200, Key(0, "major"))]
    assert [str(key_at(marks, frame)) for frame in (0, 199, 200, 999)] == ["A minor"] * 2 + ["C major"] * 2
    assert key_at(marks, -1) is None


def test_borrowed_chords_change_no_mode() -> None:
    """IV and I in minor, iv in major: the mode is decided by the chords that only one mode has."""
    minor = [chord(2, "IV"), chord(9, "I", 100), chord(9, "i", 200), chord(9, "I", 300)]
    assert keys_of(minor) == [(0, Key(9, "minor"))]
    major = [chord(5, "iv"), chord(0, "I", 100), chord(9, "vi", 200)]
    assert keys_of(major) == [(0, Key(0, "major"))]


def test_a_new_mode_on_the_same_tonic_is_a_new_key() -> None:
    assert keys_of([chord(9, "i"), chord(6, "vi", 100)]) == [(0, Key(9, "minor")), (100, Key(9, "major"))]


def test_a_degree_of_no_known_name_says_nothing() -> None:
    assert keys_of([chord(3, "?"), chord(4, "")]) == []


def test_later_chords_only_tell_the_mode() -> None:
    assert keys_of([chord(2, "IV"), chord(9, "i", 100), chord(0, "I", 200)], until_frame=50) == [
        (0, Key(9, "minor"))
    ]
