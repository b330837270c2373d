"""Ogg pages (RFC 3533): changing the serial number of a stream that is already written.

A page's checksum is a CRC-32 without inversions, so it is linear: a changed page has the old checksum XOR the
checksum of the difference. The difference is the serial's four bytes followed by zeros. These multiply by a
power of x, found by repeated squaring, so the page's contents need not be read.
"""

from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from auralis.errors import ProtocolError

_POLYNOMIAL: Final = 0x104C11DB7
_HEADER: Final = 27
_SERIAL: Final = slice(14, 18)
_CHECKSUM: Final = slice(22, 26)
_SEGMENTS: Final = 26
_MAGIC: Final = b"OggS"


def with_serial(path: Path, serial: int) -> None:
    """Set the serial number of every page of the file, which holds one stream.

    Raises:
        ProtocolError: the file does not consist of Ogg pages.
    """
    with path.open("r+b") as file:
        at = 0
        while page := file.read(_HEADER):
            length = _page_length(file, page)
            changed = _renumbered(page, length, serial)
            file.seek(at)
            file.write(changed)
            at += length
            file.seek(at)


def _page_length(file: BinaryIO, header: bytes) -> int:
    if len(header) != _HEADER or header[:4] != _MAGIC:
        raise ProtocolError(f"Ogg page: found {header[:4]!r}, expected {_MAGIC!r} and a header")
    lacing = file.read(header[_SEGMENTS])
    return _HEADER + len(lacing) + sum(lacing)


def _renumbered(header: bytes, length: int, serial: int) -> bytes:
    new = serial.to_bytes(4, "little")
    # The checksum takes bytes in the file's order, highest power first.
    difference = int.from_bytes(header[_SERIAL], "big") ^ int.from_bytes(new, "big")
    zeros = length - _SERIAL.stop
    checksum = int.from_bytes(header[_CHECKSUM], "little") ^ _times(difference, _power(8 * zeros + 32))
    changed = bytearray(header)
    changed[_SERIAL] = new
    changed[_CHECKSUM] = checksum.to_bytes(4, "little")
    return bytes(changed)


@cache
def _power(exponent: int) -> int:
    """X to the ``exponent``, modulo the polynomial; bits are coefficients."""
    if exponent == 0:
        return 1
    half = _power(exponent // 2)
    square = _times(half, half)
    return _times(square, 2) if exponent % 2 else square


def _times(one: int, other: int) -> int:
    """The product of two polynomials over GF(2), modulo the polynomial."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        other >>= 1
        one <<= 1
        if one >> 32:
            one ^= _POLYNOMIAL
    return product
