"""Ids of stream entries, ordered as the broker orders them."""

from typing import NamedTuple, Self

from auralis.errors import ProtocolError


class EntryId(NamedTuple):
    """``<milliseconds>-<n>`` of a stream entry; compares in the stream's order."""

    ms: int
    n: int

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read ``b"1700000000000-0"``.

        Raises:
            ProtocolError: the text is not an entry id.
        """
        try:
            ms, n = (text.decode() if isinstance(text, bytes) else text).split("-")
            return cls(int(ms), int(n))
        except ValueError as error:
            raise ProtocolError(f"entry id: found {text!r}, expected <ms>-<n>") from error

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"


NO_ENTRY = EntryId(0, 0)
