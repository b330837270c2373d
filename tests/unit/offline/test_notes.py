"""Notes as people write them."""

import pytest

from auralis.errors import InvalidValue
from services.offline.catalogue import note_name
from services.offline.notes import parse_notes


@pytest.mark.parametrize(
    ("text", "chords"),
    [
        ("C4", ((60,),)),
        ("C4 E4 G4 B4", ((60,), (64,), (67,), (71,))),
        ("C4,E4, G4", ((60,), (64,), (67,))),
        ("C4+E4+G4 69", ((60, 64, 67), (69,))),
        ("f#3 Bb5 bb3", ((54,), (82,), (58,))),
        ("E♭4 F♯3 Cb4 B#3", ((63,), (54,), (59,), (60,))),
        ("C-1 G9", ((0,), (127,))),
        ("0 127 60.5", ((0,), (127,), (60.5,))),
    ],
)
def test_names_and_numbers_are_pitches(text: str, chords: tuple[tuple[float, ...], ...]) -> None:
    """C4 is 60; spaces or commas separate successive notes, + joins simultaneous ones."""
    assert parse_notes(text) == chords


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "''"),
        (" , ", "' , '"),
        ("H4", "'H4'"),
        ("C4 E", "'E'"),
        ("C4+", "''"),
        ("C4 128", "'128'"),
        ("C4 -1", "'-1'"),
        ("G#9", "'G#9'"),
        ("Cb-1", "'Cb-1'"),
        ("C#b4", "'C#b4'"),
        ("nan", "'nan'"),
        ("1e2", "'1e2'"),
        ("C４", "'C４'"),
    ],
)
def test_what_is_no_note_is_quoted(text: str, found: str) -> None:
    """With what is allowed, in one line."""
    with pytest.raises(InvalidValue) as caught:
        parse_notes(text)
    assert str(caught.value).startswith(f"notes: found {found}, allowed: names such as C4")
    assert "\n" not in str(caught.value)


def test_every_name_is_read_as_it_is_written() -> None:
    """All 128 MIDI notes, there and back."""
    assert [parse_notes(note_name(pitch)) for pitch in range(128)] == [((pitch,),) for pitch in range(128)]
