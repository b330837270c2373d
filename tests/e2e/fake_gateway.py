"""A gateway for the player's tests: follows the contract exactly, plays a tone on time, fails on demand."""

import asyncio
import json
import math
import struct
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from auralis.controls import SPECS, Controls
from services.gateway.player import MEDIA_TYPES

WEB: Final = Path(__file__).parents[2] / "web"
BURST_CHUNKS: Final = 5
KEPT_CHUNKS: Final = 20
EFFECT_CHUNKS: Final = 4
CHUNK_US: Final = 100_000
SESAME: Final = "open sesame"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def now_us() -> int:
    """The server's clock, in µs."""
    return time.time_ns() // 1000


@dataclass
class Listener:
    """One connection: where it is in the stream, and whether it may control."""

    socket: web.WebSocketResponse
    since: int | None
    may_control: bool
    said: list[dict[str, Any]] = field(default_factory=list)


class FakeGateway:
    """Streams the channel ``main`` at ``rate`` Hz: a tone with a 0.25 peak per side, at different pitches."""

    def __init__(self, rate: int = 44_100, token: str | None = None) -> None:
        self.rate = rate
        self.token = token
        self.controls: dict[str, Any] = msgspec.to_builtins(Controls())
        self.revision = 0
        self.epoch_us = now_us() - 60_000_000
        self.listeners: list[Listener] = []
        self.all_listeners: list[Listener] = []
        self.attempts = 0
        self.refuse_with: int | None = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._chunk = self._tone()
        self.url = ""

    @property
    def live_seq(self) -> int:
        """The chunk that became due last."""
        return (now_us() - self.epoch_us) // CHUNK_US

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeGateway"]:
        """Serve on a free port; ``url`` says where."""
        app = web.Application()
        app.router.add_get("/api/v1/controls", self._specs)
        app.router.add_get("/ws/{channel}", self._connect)
        app.router.add_get("/{path:.*}", self._file)
        app.on_response_prepare.append(self._secure)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield self
        finally:
            self.flowing.set()
            await self.drop(1001)
            await runner.cleanup()

    async def drop(self, code: int) -> None:
        """Close every connection with ``code``."""
        for listener in list(self.listeners):
            await listener.socket.close(code=code)

    async def broadcast(self, message: dict[str, Any]) -> None:
        """Send a text message to everyone."""
        for listener in list(self.listeners):
            await listener.socket.send_json(message)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """All messages of one type that any listener has sent."""
        return [message for one in self.all_listeners for message in one.said if message["type"] == kind]

    def state(self) -> dict[str, Any]:
        """The ``state`` message."""
        return {
            "type": "state",
            "controls": self.controls,
            "revision": self.revision,
            "live_seq": self.live_seq,
            "listeners": len(self.listeners),
            "epoch_us": self.epoch_us,
        }

    async def _secure(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = CSP

    async def _file(self, request: web.Request) -> web.Response:
        """Read at once: aiohttp leaves a file open if its response is cancelled while it is being opened."""
        wanted = WEB / (request.match_info["path"] or "index.html")
        if not wanted.is_file():
            raise web.HTTPNotFound
        return web.Response(body=wanted.read_bytes(), headers={"Content-Type": MEDIA_TYPES[wanted.suffix]})

    async def _specs(self, _request: web.Request) -> web.Response:
        return web.json_response({"controls": msgspec.to_builtins(SPECS)})

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        self.attempts += 1
        socket = web.WebSocketResponse(protocols=("auralis.v1",), compress=False)
        await socket.prepare(request)
        code = 4404 if request.match_info["channel"] != "main" else self.refuse_with
        if code is not None:
            await socket.close(code=code)
            return socket
        since = request.query.get("since")
        listener = Listener(socket, None if since is None else int(since), self.token is None)
        self.listeners.append(listener)
        self.all_listeners.append(listener)
        await self._serve(listener)
        return socket

    async def _serve(self, listener: Listener) -> None:
        stream = asyncio.create_task(self._stream(listener))
        try:
            async for message in listener.socket:
                if message.type == WSMsgType.TEXT:
                    await self._answer(listener, json.loads(message.data))
        finally:
            self.listeners.remove(listener)
            stream.cancel()

    async def _stream(self, listener: Listener) -> None:
        await listener.socket.send_json(self._hello(listener))
        await listener.socket.send_json(self._score())
        seq = self.live_seq - BURST_CHUNKS + 1
        if listener.since is not None:
            seq = max(listener.since + 1, self.live_seq - KEPT_CHUNKS + 1)
        while True:
            await asyncio.sleep(max(0.0, (self.due_us(seq) - now_us()) / 1e6))
            await self.flowing.wait()
            await listener.socket.send_bytes(self.frame(seq))
            seq += 1

    def due_us(self, seq: int) -> int:
        """When chunk ``seq`` leaves."""
        return self.epoch_us + seq * CHUNK_US

    def frame(self, seq: int, flags: int = 0) -> bytes:
        """Chunk ``seq`` as a binary frame."""
        return struct.pack("<BBHIQq", 1, 0, flags, self.revision, seq, self.due_us(seq)) + self._chunk

    def _tone(self) -> bytes:
        """A whole number of periods per chunk, so that every chunk continues the one before."""
        frames = self.rate // 10
        samples = array("h")
        for frame in range(frames):
            for frequency_hz in (220, 330):
                samples.append(round(8192 * math.sin(2 * math.pi * frequency_hz * frame / self.rate)))
        return samples.tobytes()

    def _hello(self, listener: Listener) -> dict[str, Any]:
        return self.state() | {
            "type": "hello",
            "channel": "main",
            "sample_rate": self.rate,
            "channels": 2,
            "frames_per_chunk": self.rate // 10,
            "codec": "pcm",
            "burst": BURST_CHUNKS,
            "control_open": listener.may_control,
        }

    def _score(self) -> dict[str, Any]:
        """Chords of four seconds, and one note per second in each of three layers, around now."""
        first = (now_us() - self.epoch_us) // 4_000_000 * 4 - 16
        chords = [self._chord(second) for second in range(first, first + 60, 4)]
        notes = [note for second in range(first, first + 60) for note in self._notes(second)]
        section = {"type": "section", "at_frame": first * self.rate, "name": "slow_dawn"}
        return {
            "type": "score",
            "revise_from": None,
            "from_frame": first * self.rate,
            "until_frame": (first + 60) * self.rate,
            "events": [section, *chords, *notes],
        }

    def _chord(self, second: int) -> dict[str, Any]:
        root, quality = ((9, "m7"), (5, "maj7"), (0, "add9"), (4, "m7"))[second // 4 % 4]
        return {
            "type": "chord",
            "at_frame": second * self.rate,
            "duration_frames": 4 * self.rate,
            "root": root,
            "quality": quality,
            "degree": "i",
            "pitches": [root + 48, root + 55, root + 60],
        }

    def _notes(self, second: int) -> list[dict[str, Any]]:
        root = (9, 5, 0, 4)[second // 4 % 4]
        notes = []
        for index, layer in enumerate(("pad", "melody", "bells")):
            if second % (4, 2, 3)[index] == 0:
                notes.append(self._note(second, index, layer, root))
        return notes

    def _note(self, second: int, index: int, layer: str, root: int) -> dict[str, Any]:
        return {
            "type": "note",
            "id": second * 8 + index,
            "at_frame": second * self.rate,
            "duration_frames": round((3.8, 1.5, 0.4)[index] * self.rate),
            "pitch": 40 + root + (0, 19, 31)[index] + second * 5 % 7,
            "velocity": (0.5, 0.7, 0.9)[index],
            "patch": layer,
            "layer": layer,
        }

    async def _answer(self, listener: Listener, message: dict[str, Any]) -> None:
        listener.said.append(message)
        if message["type"] == "ping":
            await listener.socket.send_json({"type": "pong", "t": message["t"], "server_us": now_us()})
        elif message["type"] == "auth":
            listener.may_control = message["token"] == self.token
            await listener.socket.send_json({"type": "auth", "ok": listener.may_control})
        elif message["type"] == "control":
            await self._control(listener, message)

    async def _control(self, listener: Listener, message: dict[str, Any]) -> None:
        if not listener.may_control:
            refusal = {"type": "error", "id": message["id"], "status": 401, "title": "A token is required"}
            await listener.socket.send_json(refusal | {"detail": "send it first"})
            return
        self.controls = self.controls | message["set"]
        self.revision += 1
        effective_seq = self.live_seq + EFFECT_CHUNKS
        ack = {
            "type": "control_ack",
            "id": message["id"],
            "revision": self.revision,
            "effective_seq": effective_seq,
        }
        await listener.socket.send_json(ack)
        await self.broadcast(self.state())
