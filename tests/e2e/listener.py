"""A listener without a browser: a WebSocket client that keeps what it receives."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray

from auralis.wire import Header, unpack


@dataclass
class Listener:
    """What came over one connection: chunks by seq, text messages in order."""

    headers: dict[int, Header] = field(default_factory=dict)
    payloads: dict[int, bytes] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seqs(self) -> list[int]:
        return sorted(self.payloads)

    @property
    def contiguous(self) -> bool:
        return self.seqs == list(range(self.seqs[0], self.seqs[-1] + 1))

    @property
    def discontinuities(self) -> list[int]:
        return [seq for seq, header in self.headers.items() if header.discontinuity]

    def samples(self, last: int | None = None) -> NDArray[np.float64]:
        """The last chunks as ``[frame, channel]``, ±1."""
        seqs = self.seqs[-last:] if last else self.seqs
        return samples(self.payloads[seq] for seq in seqs)

    async def until(self, chunks: int, timeout_s: float = 30.0) -> None:
        """Wait until ``chunks`` chunks have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.payloads) < chunks:
                self.arrived.clear()
                await self.arrived.wait()

    async def receive(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                header, payload = unpack(message.data)
                assert header.seq not in self.payloads, f"chunk {header.seq} came twice"
                self.headers[header.seq] = header
                self.payloads[header.seq] = bytes(payload)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self.messages.append(json.loads(message.data))
            self.arrived.set()


def samples(chunks: Iterable[bytes]) -> NDArray[np.float64]:
    """PCM as ``[frame, channel]``, ±1."""
    return np.frombuffer(b"".join(chunks), "<i2").reshape(-1, 2) / 32768


@asynccontextmanager
async def listening(url: str, channel: str = "main") -> AsyncIterator[Listener]:
    """Listen to ``channel`` of the gateway at ``url``."""
    listener = Listener()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws/{channel}", protocols=["auralis.v1"]) as socket,
    ):
        receiving = asyncio.create_task(listener.receive(socket))
        try:
            yield listener
        finally:
            receiving.cancel()
