"""The score versions that a chunk was rendered from, as the ring stores them."""

from hypothesis import given
from hypothesis import strategies as st

from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId

ids = st.builds(EntryId, st.integers(0, 2**48), st.integers(0, 2**20))


@given(ids, ids)
def test_versions_are_read_as_they_are_written(own: EntryId, predecessor: EntryId) -> None:
    versions = Versions(own, predecessor)
    assert Versions.parse(str(versions).encode()) == versions


def test_the_first_chunk_of_a_ring_has_no_predecessor() -> None:
    assert str(Versions(EntryId(5, 1))) == "5-1 0-0"
    assert Versions(EntryId(5, 1)).predecessor == NO_ENTRY
