"""A ring as the playhead sees it: chunks whose audio reveals their seq and version."""

import struct
from collections.abc import Iterable

from auralis.audio import due_us
from auralis.ring.reader import Fetched, FetchedChunk
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.timing import GUARD_US
from auralis.wire import Header, pack

EPOCH_US = 1_700_000_000_000_000
FRAMES = 40  # short chunks: what is tested does not depend on their length


def pcm(seq: int, version: int = 1) -> bytes:
    """The audio of one chunk: a constant that no other seq or version has."""
    value = seq % 200 * 100 + version
    return struct.pack("<2h", value, -value) * FRAMES


def frame(seq: int, version: int = 1, epoch_us: int = EPOCH_US) -> bytes:
    """The item as the ring stores it."""
    return pack(Header(0, 0, version, seq, due_us(epoch_us, seq)), pcm(seq, version))


def chunk(seq: int, version: int = 1, before: int | None = None, epoch_us: int = EPOCH_US) -> FetchedChunk:
    """A fetched chunk; ``before`` is its predecessor's version (0: the ring begins afresh)."""
    predecessor = version if before is None else before
    versions = Versions(EntryId(version, 0), EntryId(predecessor, 0) if predecessor else NO_ENTRY)
    return FetchedChunk(seq, versions, frame(seq, version, epoch_us))


def fetched(now_us: int, chunks: Iterable[FetchedChunk], epoch_us: int = EPOCH_US) -> Fetched:
    """A reply of the ring."""
    found = list(chunks)
    seqs = [item.seq for item in found]
    unfrozen = (now_us - epoch_us + GUARD_US) // 100_000 + 1
    return Fetched(now_us, epoch_us, unfrozen, min(seqs, default=0), max(seqs, default=-1), found)


def at(seq: int, after_us: int = 0, epoch_us: int = EPOCH_US) -> int:
    """The broker's time ``after_us`` after a chunk's due time."""
    return due_us(epoch_us, seq) + after_us
