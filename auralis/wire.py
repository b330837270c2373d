"""The binary frame: one chunk as listeners receive it and as the ring stores it.

Little-endian: u8 version, u8 codec, u16 flags, u32 control revision, u64 seq, i64 due time in µs of the
broker's clock; then the payload.
"""

import struct
from typing import Final, NamedTuple

from auralis.errors import ProtocolError

WIRE_VERSION: Final = 1
PCM_S16LE: Final = 0
OPUS: Final = 1
DISCONTINUITY: Final = 1

_HEADER: Final = struct.Struct("<BBHIQq")
HEADER_BYTES: Final = _HEADER.size
_FLAGS_OFFSET: Final = 2
_U16: Final = struct.Struct("<H")


class Header(NamedTuple):
    """The fields in front of a chunk's payload."""

    codec: int
    flags: int
    revision: int
    seq: int
    due_us: int

    @property
    def discontinuity(self) -> bool:
        """Whether the chunk does not continue the one sent before it."""
        return bool(self.flags & DISCONTINUITY)


def pack(header: Header, payload: bytes | memoryview) -> bytes:
    """Pack one binary frame."""
    return _HEADER.pack(WIRE_VERSION, *header) + payload


def unpack(frame: bytes | memoryview) -> tuple[Header, memoryview]:
    """Split a binary frame into header and payload.

    Raises:
        ProtocolError: the frame is too short or has another version.
    """
    if len(frame) < HEADER_BYTES:
        raise ProtocolError(f"binary frame: found {len(frame)} bytes, expected at least {HEADER_BYTES}")
    version, *fields = _HEADER.unpack_from(frame)
    if version != WIRE_VERSION:
        raise ProtocolError(f"binary frame: found version {version}, expected {WIRE_VERSION}")
    return Header(*fields), memoryview(frame)[HEADER_BYTES:]


def with_flags(frame: bytes, flags: int) -> bytes:
    """The same frame with other flags."""
    return frame[:_FLAGS_OFFSET] + _U16.pack(flags) + frame[_FLAGS_OFFSET + _U16.size :]
