"""WebSocket frames as bytes."""

import base64
import json

import pytest

from auralis.wire import DISCONTINUITY, unpack
from services.gateway.frames import Chunk, binary_frame, text_frame
from services.gateway.protocol import SUBPROTOCOL, SUBPROTOCOL_JSON, Pong
from tests.unit.gateway.ringing import at, frame, pcm

BINARY, TEXT = 2, 1


def parsed(data: bytes) -> tuple[int, bytes]:
    """Opcode and payload of one whole unmasked frame, as RFC 6455 (5.2) reads it."""
    assert data[0] & 0xF0 == 0x80  # final, no extension
    assert data[1] & 0x80 == 0  # not masked
    short, start = data[1] & 0x7F, 2
    if short >= 126:
        start = 4 if short == 126 else 10
        short = int.from_bytes(data[2:start], "big")
    assert len(data) == start + short
    return data[0] & 0x0F, data[start:]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_every_length_is_written_as_the_rfc_says(size: int) -> None:
    """In the shortest form that can hold it."""
    payload = bytes(i % 251 for i in range(size))
    assert parsed(binary_frame(payload)) == (BINARY, payload)
    assert len(binary_frame(payload)) - size == (2 if size < 126 else 4 if size < 65_536 else 10)


def test_text_frames_are_text() -> None:
    kind, text = parsed(text_frame(Pong(1, 2)))
    assert (kind, json.loads(text)) == (TEXT, {"type": "pong", "t": 1, "server_us": 2})


def test_a_binary_chunk_is_the_rings_item() -> None:
    _, data = parsed(Chunk(frame(7)).encoded(SUBPROTOCOL, gap=False))
    assert data == frame(7)


def test_a_gap_sets_the_flag_and_nothing_else() -> None:
    _, data = parsed(Chunk(frame(7)).encoded(SUBPROTOCOL, gap=True))
    header, payload = unpack(data)
    plain, _ = unpack(frame(7))
    assert header == plain._replace(flags=DISCONTINUITY)
    assert payload == pcm(7)


@pytest.mark.parametrize("gap", [False, True])
def test_the_json_form_carries_the_same(gap: bool) -> None:
    kind, text = parsed(Chunk(frame(7, version=3)).encoded(SUBPROTOCOL_JSON, gap=gap))
    message = json.loads(text)
    assert kind == TEXT
    assert base64.b64decode(message.pop("data")) == pcm(7, 3)
    assert message == {"type": "audio", "seq": 7, "due_us": at(7), "revision": 3, "discontinuity": gap}


def test_each_form_is_built_once() -> None:
    """A thousand listeners share the same bytes."""
    chunk = Chunk(frame(7))
    assert chunk.encoded(SUBPROTOCOL, gap=False) is chunk.encoded(SUBPROTOCOL, gap=False)
    before = chunk.encoded(SUBPROTOCOL_JSON, gap=False)
    chunk.forget_encoded()
    assert chunk.encoded(SUBPROTOCOL_JSON, gap=False) == before
