"""Ids of stream entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.errors import ProtocolError
from auralis.score.entry_id import NO_ENTRY, EntryId

ids = st.builds(EntryId, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))


@given(ids)
def test_an_id_is_read_as_it_is_written(entry: EntryId) -> None:
    assert EntryId.parse(str(entry)) == EntryId.parse(str(entry).encode()) == entry


@given(ids)
def test_no_entry_is_before_every_entry(entry: EntryId) -> None:
    assert entry >= NO_ENTRY


def test_ids_are_ordered_by_number_and_not_by_text() -> None:
    assert EntryId.parse("9-0") < EntryId.parse("10-0") < EntryId.parse("10-2") < EntryId.parse("10-10")


@pytest.mark.parametrize("text", ["", "5", "5-", "-5", "a-b", "1-2-3", b"\xff-1", "5.0-1", "*"])
def test_what_is_no_id_is_quoted(text: str | bytes) -> None:
    with pytest.raises(ProtocolError, match=r"entry id: found .*, expected <ms>-<n>"):
        EntryId.parse(text)
