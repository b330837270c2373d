"""The versions of the score that a chunk was rendered from."""

from typing import NamedTuple, Self

from auralis.score.entry_id import NO_ENTRY, EntryId


class Versions(NamedTuple):
    """The score ids of a chunk and of the chunk before it; together with the log they determine its bytes.

    ``predecessor`` is :data:`NO_ENTRY` for the first chunk of a new or restarted ring.
    """

    own: EntryId
    predecessor: EntryId = NO_ENTRY

    @classmethod
    def parse(cls, pair: bytes) -> Self:
        """Parse the ring's notation, ``"own predecessor"``."""
        own, predecessor = pair.split()
        return cls(EntryId.parse(own), EntryId.parse(predecessor))

    def __str__(self) -> str:
        return f"{self.own} {self.predecessor}"
