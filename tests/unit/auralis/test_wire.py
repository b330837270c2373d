"""The binary frame, byte by byte as the contract draws it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.errors import ProtocolError
from auralis.wire import DISCONTINUITY, HEADER_BYTES, OPUS, PCM_S16LE, Header, pack, unpack, with_flags

headers = st.builds(
    Header,
    codec=st.sampled_from((PCM_S16LE, OPUS)),
    flags=st.integers(0, 2**16 - 1),
    revision=st.integers(0, 2**32 - 1),
    seq=st.integers(0, 2**64 - 1),
    due_us=st.integers(-(2**63), 2**63 - 1),
)


def test_every_field_stands_where_the_contract_says() -> None:
    frame = pack(Header(OPUS, DISCONTINUITY, 7, 12_345_678_901, 1_700_000_000_000_000), b"sound")
    assert frame[0] == 1
    assert frame[1] == 1
    assert struct.unpack_from("<H", frame, 2) == (1,)
    assert struct.unpack_from("<I", frame, 4) == (7,)
    assert struct.unpack_from("<Q", frame, 8) == (12_345_678_901,)
    assert struct.unpack_from("<q", frame, 16) == (1_700_000_000_000_000,)
    assert frame[24:] == b"sound"
    assert HEADER_BYTES == 24


@given(headers, st.binary(max_size=64))
def test_a_frame_is_read_as_it_was_written(header: Header, payload: bytes) -> None:
    read, rest = unpack(pack(header, payload))
    assert (read, bytes(rest)) == (header, payload)


def test_the_payload_is_not_copied() -> None:
    frame = pack(Header(0, 0, 0, 0, 0), b"sound")
    assert unpack(frame)[1].obj is frame


@pytest.mark.parametrize("size", [0, 1, 23])
def test_a_frame_that_is_too_short_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match=f"found {size} bytes, expected at least 24"):
        unpack(bytes(size))


def test_another_version_is_refused() -> None:
    with pytest.raises(ProtocolError, match="found version 2, expected 1"):
        unpack(b"\x02" + bytes(23))


@given(headers, st.integers(0, 2**16 - 1), st.binary(max_size=8))
def test_new_flags_change_nothing_else(header: Header, flags: int, payload: bytes) -> None:
    read, rest = unpack(with_flags(pack(header, payload), flags))
    assert (read, bytes(rest)) == (header._replace(flags=flags), payload)
    assert read.discontinuity == bool(flags & 1)
