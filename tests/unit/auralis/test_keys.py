"""Musical keys as text."""

import pytest

from auralis.errors import InvalidValue
from auralis.keys import KEY_NAMES, TONIC_NAMES, Key, parse_key


def test_there_are_twelve_tonics_in_two_modes() -> None:
    assert len(set(KEY_NAMES)) == 24
    assert {parse_key(name) for name in KEY_NAMES} == {
        Key(pc, mode) for pc in range(12) for mode in ("major", "minor")
    }


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_key_is_read_as_it_is_written_whatever_its_case_and_spaces(name: str) -> None:
    assert str(parse_key(name)) == name
    assert parse_key(f"  {name.upper()} ") == parse_key(name.lower().replace(" ", "   ")) == parse_key(name)


@pytest.mark.parametrize("tonic", TONIC_NAMES)
def test_a_tonic_alone_is_major(tonic: str) -> None:
    assert parse_key(tonic) == parse_key(f"{tonic} major")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("Db", "C#"), ("D#", "Eb"), ("Gb", "F#"), ("G#", "Ab"), ("A#", "Bb")],
)
def test_the_other_name_of_a_black_key_means_the_same(text: str, canonical: str) -> None:
    assert str(parse_key(f"{text} minor")) == f"{canonical} minor"


@pytest.mark.parametrize(
    "text", ["", "   ", "H major", "A dorian", "A minor now", "Aminor", "7", "minor", "A\0"]
)
def test_what_is_no_key_is_quoted_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_key(text)
    assert caught.value.field == "key"
    assert repr(text) in str(caught.value)
    assert "C#" in caught.value.allowed


@pytest.mark.parametrize("tonic", range(12))
def test_a_minor_key_has_the_signature_of_its_relative_major(tonic: int) -> None:
    relative = Key((tonic + 3) % 12, "major")
    assert Key(tonic, "minor").signature == relative.signature == relative.tonic
