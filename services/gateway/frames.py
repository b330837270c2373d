"""WebSocket frames as bytes, and one chunk in each form that a listener may want, each encoded once.

A server's frames are unmasked, so all listeners get identical bytes: work that aiohttp would repeat for each
listener is done once per chunk.
"""

import struct
from typing import Final

import msgspec

from auralis.wire import DISCONTINUITY, Header, pack, unpack, with_flags
from services.gateway.protocol import SUBPROTOCOL_JSON, AudioMessage, ServerMessage

_FINAL: Final = 0x80
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_U16_FOLLOWS: Final = 126
_U64_FOLLOWS: Final = 127

_encoder: Final = msgspec.json.Encoder()


def text_frame(message: ServerMessage) -> bytes:
    """One complete text frame."""
    return _frame(_TEXT, _encoder.encode(message))


def binary_frame(payload: bytes) -> bytes:
    """One complete binary frame."""
    return _frame(_BINARY, payload)


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < _U16_FOLLOWS:
        head = struct.pack("!BB", _FINAL | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FINAL | opcode, _U16_FOLLOWS, size)
    else:
        head = struct.pack("!BBQ", _FINAL | opcode, _U64_FOLLOWS, size)
    return head + payload


class Chunk:
    """One outgoing chunk. ``data`` is the wire protocol's binary frame: header and payload."""

    __slots__ = ("_encoded", "data", "header", "payload")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.header, self.payload = unpack(data)
        self._encoded: dict[tuple[str, bool], bytes] = {}

    @classmethod
    def of(cls, header: Header, payload: bytes) -> "Chunk":
        """A chunk that the gateway made itself."""
        return cls(pack(header, payload))

    @property
    def seq(self) -> int:
        """The chunk's sequence number."""
        return self.header.seq

    def encoded(self, subprotocol: str, *, gap: bool) -> bytes:
        """The WebSocket frame for ``subprotocol``; ``gap``: flagged as not following the previous chunk."""
        form = (subprotocol, gap)
        frame = self._encoded.get(form)
        if frame is None:
            frame = self._encoded[form] = self._encode(subprotocol, gap=gap)
        return frame

    def forget_encoded(self) -> None:
        """Keep only ``data``; a frame that is still needed is encoded again."""
        self._encoded.clear()

    def _encode(self, subprotocol: str, *, gap: bool) -> bytes:
        header = self.header
        if subprotocol == SUBPROTOCOL_JSON:
            marked = gap or header.discontinuity
            message = AudioMessage(header.seq, header.due_us, header.revision, marked, self.payload)
            return text_frame(message)
        return binary_frame(with_flags(self.data, header.flags | DISCONTINUITY) if gap else self.data)
