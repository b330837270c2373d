"""The whole system as an outsider starts it: `make run`, a listener, a control change, Ctrl-C.

`python tests/smoke.py` runs `make run` on a free port; `--url http://127.0.0.1:8000` listens to a system
that is already running (the containers, say) and leaves it running. Exits 0 and prints what it measured, or
exits 1 with what was expected and what was found.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
HEADER = struct.Struct("<BBHIQq")  # version, codec, flags, revision, seq, due time in µs
DISCONTINUITY = 1
CHUNK_S = 0.1
START_LIMIT_S = 90
CHANGE_LIMIT_S = 5
END_LIMIT_S = 15
LOG_END_CHARS = 4000
RMS_FLOOR = 0.003  # -50 dBFS, far below the quietest passage and far above dither
ENDS_BY_CTRL_C = (0, 130, -signal.SIGINT)


Stream = aiohttp.ClientWebSocketResponse


class SmokeError(Exception):
    """What was found differs from what was expected."""


@dataclass
class Heard:
    """What one listener received: decoded headers, and the PCM of every chunk in order."""

    hello: dict[str, Any]
    seqs: list[int] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    lateness_s: list[float] = field(default_factory=list)
    pcm: list[bytes] = field(default_factory=list)

    def take(self, message: bytes) -> None:
        """Add one binary frame; it must be whole."""
        version, codec, flags, revision, seq, due_us = HEADER.unpack_from(message)
        payload = message[HEADER.size :]
        # A stream may begin with the first chunk after a pause, and must continue without a break from there.
        begins = flags & DISCONTINUITY if not self.seqs else 0
        expect((version, codec, flags), (1, 0, begins), f"version, codec and flags of seq {seq}")
        size = self.hello["frames_per_chunk"] * self.hello["channels"] * 2
        expect(len(payload), size, f"bytes of seq {seq}")
        self.seqs.append(seq)
        self.revisions.append(revision)
        self.lateness_s.append(time.time() - due_us / 1e6)
        self.pcm.append(payload)

    def rms(self) -> float:
        """Return the root mean square of everything heard, where full scale is 1."""
        samples = np.frombuffer(b"".join(self.pcm), dtype="<i2").astype(np.float64) / 32768
        return float(np.sqrt(np.mean(samples**2)))


def expect(found: object, expected: object, what: str) -> None:
    """Raise unless both are equal."""
    if found != expected:
        raise SmokeError(f"{what}: expected {expected}, found {found}")


def expect_that(holds: bool, what: str) -> None:
    """Raise unless the condition holds."""
    if not holds:
        raise SmokeError(what)


FAILURES = (SmokeError, aiohttp.ClientError, TimeoutError)


async def wait_ready(session: aiohttp.ClientSession, url: str, alive: Callable[[], bool]) -> None:
    """Return as soon as `/readyz` says yes; raise if the system died or takes too long."""
    limit_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit_s:
        expect_that(alive(), "the system ended before it was ready")
        try:
            async with session.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise SmokeError(f"/readyz did not answer 200 within {START_LIMIT_S} s")


async def frames(stream: Stream, heard: Heard) -> AsyncIterator[dict[str, Any] | None]:
    """Yield None after each chunk, added to `heard`, and the content of every text frame as it arrives."""
    while True:
        message = await stream.receive(timeout=START_LIMIT_S)
        if message.type is aiohttp.WSMsgType.BINARY:
            heard.take(message.data)
            yield None
        else:
            expect(message.type, aiohttp.WSMsgType.TEXT, "kind of frame")
            yield json.loads(message.data)


async def listen(session: aiohttp.ClientSession, url: str, seconds: float, began_s: float) -> Heard:
    """Hear `seconds` of the channel `main`, change its intensity and hear the change."""
    async with session.ws_connect(f"{url}/ws/main?codec=pcm", protocols=["auralis.v1"]) as stream:
        expect(stream.protocol, "auralis.v1", "subprotocol")
        heard = Heard(await stream.receive_json(timeout=START_LIMIT_S))
        expect(heard.hello["type"], "hello", "first frame")
        async for text in frames(stream, heard):
            if text is None and len(heard.seqs) == 1:
                print(f"smoke: first chunk {time.monotonic() - began_s:.2f} s after the start")
            if len(heard.seqs) * CHUNK_S >= seconds:
                break
        await change_intensity(stream, heard)
    return heard


async def change_intensity(stream: Stream, heard: Heard) -> None:
    """Set another intensity and wait for the first chunk that carries its revision."""
    intensity = 0.9 if heard.hello["controls"]["intensity"] < 0.5 else 0.2
    sent_s = time.monotonic()
    await stream.send_json({"type": "control", "id": "smoke", "set": {"intensity": intensity}})
    ack: dict[str, Any] = {}
    async for text in frames(stream, heard):
        if text and text.get("id") == "smoke":
            expect(text["type"], "control_ack", f"answer to a control change ({text})")
            ack = text
        if ack and heard.revisions[-1] >= ack["revision"]:
            break
        took_s = time.monotonic() - sent_s
        expect_that(took_s < CHANGE_LIMIT_S, f"no chunk of the new revision after {took_s:.1f} s; ack: {ack}")
    took_s = time.monotonic() - sent_s
    print(f"smoke: intensity {intensity}: revision {ack['revision']} arrived after {took_s * 1000:.0f} ms")


def check(heard: Heard) -> None:
    """Check what was heard against the contract and print it."""
    first, last = heard.seqs[0], heard.seqs[-1]
    expect(heard.seqs, list(range(first, last + 1)), "seqs without a gap")
    expect(heard.revisions, sorted(heard.revisions), "revisions that only grow")
    rms = heard.rms()
    expect_that(rms > RMS_FLOOR, f"the sound is silent: RMS {rms:.5f} is not over {RMS_FLOOR}")
    late_s = max(heard.lateness_s[len(heard.seqs) // 2 :])
    print(f"smoke: {len(heard.seqs)} contiguous chunks, seq {first} to {last}; RMS {rms:.4f}", end="; ")
    print(f"latest {late_s * 1000:.0f} ms after its due time")


async def hear(url: str, seconds: float, alive: Callable[[], bool]) -> None:
    """Run every check on the system at `url`."""
    began_s = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await wait_ready(session, url, alive)
        async with session.get(f"{url}/") as page:
            expect(page.status, 200, "status of the player's page")
        check(await listen(session, url, seconds, began_s))


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def make_run(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `make run` as the leader of a new process group, which is ended whatever happens.

    Its output goes to `folder/log`, and its broker starts without the data of earlier runs.
    """
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=ROOT,
            env={**os.environ, "AURALIS_DATA_DIR": str(folder / "data")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            end(process)


def end(process: subprocess.Popen[bytes]) -> int:
    """Interrupt the process group as Ctrl-C does; return the exit code. What does not obey is killed."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        return process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise SmokeError(f"make run still ran {END_LIMIT_S} s after Ctrl-C") from error


def ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """Interrupt as a terminal does; everything that `make run` started must be gone soon afterwards."""
    family = psutil.Process(process.pid).children(recursive=True)
    began_s = time.monotonic()
    code = end(process)
    took_s = time.monotonic() - began_s
    _, left = psutil.wait_procs(family, timeout=0.5)
    expect(left, [], "processes left after Ctrl-C")
    expect_that(code in ENDS_BY_CTRL_C, f"exit code after Ctrl-C: expected {ENDS_BY_CTRL_C}, found {code}")
    print(f"smoke: Ctrl-C ended make and {len(family)} processes in {took_s:.2f} s, exit code {code}")


def start_and_hear(seconds: float) -> None:
    """Run the whole check on a newly started `make run`; show its output if something is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            port = free_port()
            with make_run(port, folder) as process:
                asyncio.run(hear(f"http://127.0.0.1:{port}", seconds, lambda: process.poll() is None))
                ctrl_c(process)
        except FAILURES:
            sys.stderr.write((folder / "log").read_text(errors="replace")[-LOG_END_CHARS:])
            raise


def main() -> int:
    """Run as a command; return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", help="a running system; without it, make run is started and ended")
    arguments.add_argument("--seconds", type=float, default=8, help="how much sound to hear (default: 8)")
    given = arguments.parse_args()
    try:
        if given.url:
            asyncio.run(hear(given.url.rstrip("/"), given.seconds, lambda: True))
        else:
            start_and_hear(given.seconds)
    except FAILURES as error:
        sys.stderr.write(f"smoke: {type(error).__name__}: {error}\n")
        return 1
    print("smoke: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
