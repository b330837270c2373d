"""Clients of a gateway, written as an outsider would write them."""

import asyncio
import base64
import json
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp

HEADER = struct.Struct("<BBHIQq")  # version, codec, flags, revision, seq, due time in µs


class Heard(NamedTuple):
    """One chunk as a client received it."""

    seq: int
    due_us: int
    discontinuity: bool
    payload: bytes


class Client:
    """One WebSocket and everything received over it, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.chunks: list[Heard] = []
        self.texts: list[dict[str, Any]] = []
        self.order: list[str] = []

    async def next(self) -> None:
        """Take in the next frame."""
        message = await self.socket.receive(timeout=10)
        if message.type is aiohttp.WSMsgType.BINARY:
            self._binary(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            self._text(json.loads(message.data))
        else:
            raise ConnectionError(f"closed with {self.socket.close_code}")

    async def hear(self, chunks: int) -> list[Heard]:
        """Keep receiving until this many chunks have been heard in all."""
        while len(self.chunks) < chunks:
            await self.next()
        return self.chunks

    async def hear_past(self, seq: int) -> list[Heard]:
        """Keep receiving until a chunk after ``seq`` has been heard."""
        while not self.chunks or self.chunks[-1].seq <= seq:
            await self.next()
        return self.chunks

    async def told(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first message of this kind with these fields; waits for it if necessary."""
        looked = 0
        while True:
            for text in self.texts[looked:]:
                if text["type"] == kind and fields.items() <= text.items():
                    return text
            looked = len(self.texts)
            await self.next()

    async def say(self, **message: Any) -> None:
        """Send one message."""
        await self.socket.send_json(message)

    async def closed(self) -> int | None:
        """Read to the end and return the close code."""
        async with asyncio.timeout(10):
            while not self.socket.closed:
                try:
                    await self.next()
                except ConnectionError:
                    break
        return self.socket.close_code

    def _binary(self, data: bytes) -> None:
        version, codec, flags, _, seq, due_us = HEADER.unpack_from(data)
        assert (version, codec) == (1, 0)
        self.chunks.append(Heard(seq, due_us, bool(flags & 1), data[HEADER.size :]))
        self.order.append("chunk")

    def _text(self, message: dict[str, Any]) -> None:
        if message["type"] == "audio":
            payload = base64.b64decode(message["data"])
            chunk = Heard(message["seq"], message["due_us"], message["discontinuity"], payload)
            self.chunks.append(chunk)
            self.order.append("chunk")
        else:
            self.texts.append(message)
            self.order.append(message["type"])


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another task brings about."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


def seqs(chunks: list[Heard]) -> list[int]:
    """Their sequence numbers."""
    return [chunk.seq for chunk in chunks]


def contiguous(chunks: list[Heard]) -> bool:
    """Whether each follows the one before, unmarked."""
    numbers = seqs(chunks)
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and not any(
        chunk.discontinuity for chunk in chunks
    )
