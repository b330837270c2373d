"""What listeners notice when something breaks."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.embedded import EmbeddedBroker
from auralis.keyspace import Keyspace
from services.gateway import listener, sockets
from services.gateway.app import Gateway
from tests.integration.gateway.conftest import Join, running, serving
from tests.integration.gateway.hearing import Client, contiguous, seqs, until
from tests.integration.gateway.producing import Producer

UPGRADE = (
    b"GET /ws/main HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def silent_reader(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A listener that joins and then reads nothing, with a small socket buffer."""
    host, port = url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    writer.write(UPGRADE)
    return reader, writer


async def read_frames(reader: asyncio.StreamReader) -> list[tuple[int, bytes]]:
    """Opcode and payload of everything that is sent, to the end."""
    await reader.readuntil(b"\r\n\r\n")
    frames = []
    try:
        while True:
            first, size = await reader.readexactly(2)
            if size >= 126:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            frames.append((first & 0x0F, await reader.readexactly(size)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return frames


async def test_a_stalled_listener_is_told_and_dropped_and_others_hear_nothing_of_it(
    playing: Gateway, join: Join, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    """A gap mark, then close code 1013; the others' chunks stay contiguous and on time."""
    monkeypatch.setattr(listener, "STALL_S", 1.0)
    monkeypatch.setattr(sockets, "SEND_BUFFER_BYTES", 8192)
    healthy = await join(playing)
    reader, writer = await silent_reader(playing.url)
    await until(lambda: playing.hub.listeners("main") == 2)
    async with running(healthy.closed()):
        await until(lambda: playing.hub.listeners("main") == 1)
        frames = await asyncio.wait_for(read_frames(reader), 5)
    writer.close()
    chunks = [(int.from_bytes(data[8:16], "little"), data[2] & 1) for kind, data in frames if kind == 2]
    marks = [mark for _, mark in chunks]
    assert frames[-1][0] == 8
    assert int.from_bytes(frames[-1][1][:2], "big") == 1013
    assert marks == [0] * (len(marks) - 1) + [1]
    assert chunks[-1][0] > chunks[-2][0] + 1
    assert contiguous(healthy.chunks)
    async with http.get(f"{playing.url}/metrics") as answer:
        dropped = [line for line in (await answer.text()).splitlines() if "chunks_dropped_total{" in line]
    assert float(dropped[0].split()[-1]) > 0


async def test_a_vanished_listener_is_cut(playing: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never reads again: the connection is aborted and its memory is freed."""
    monkeypatch.setattr(listener, "STALL_S", 0.3)
    monkeypatch.setattr(sockets, "SEND_BUFFER_BYTES", 8192)
    monkeypatch.setattr(sockets, "ABORT_S", 0.2)
    _, writer = await silent_reader(playing.url)
    await until(lambda: playing.hub.listeners("main") == 1)
    await until(lambda: playing.hub.listeners("main") == 0)
    writer.close()


async def test_the_broker_restarts(tmp_path: Path, keys: Keyspace, join: Join) -> None:
    """More than half a second without it: every chunk arrives, unmarked; then the ring is followed again."""
    async with EmbeddedBroker(tmp_path) as broker, connect(broker.url, name="test") as client:
        producer = Producer(client, keys)
        await producer.channels.ensure_main(sample_rate_hz=44_100)
        async with running(producer.run()), serving(broker.url, keys) as gateway:
            await until(lambda: gateway.hub.ready)
            listener_ = await join(gateway)
            await listener_.hear(5)
            broker.process.kill()
            await broker.process.wait()
            await listener_.hear(len(listener_.chunks) + 6)
            async with running(broker.keep()):
                await listener_.hear(len(listener_.chunks) + 25)
                await until(lambda: gateway.hub.ready)
    assert contiguous(listener_.chunks)


async def test_the_broker_stays_away(
    tmp_path: Path, keys: Keyspace, join: Join, http: aiohttp.ClientSession
) -> None:
    """The stream continues, marked; the API answers 503 and says when to retry; the process stays up."""
    async with EmbeddedBroker(tmp_path) as broker, connect(broker.url, name="test") as client:
        producer = Producer(client, keys)
        await producer.channels.ensure_main(sample_rate_hz=44_100)
        async with running(producer.run()), serving(broker.url, keys) as gateway:
            await until(lambda: gateway.hub.ready)
            listener_ = await join(gateway)
            await listener_.hear(5)
            broker.process.kill()
            chunks = await listener_.hear(5 + 25)
            for path, status in (("/healthz", 200), ("/readyz", 503), ("/api/v1/channels", 503)):
                async with http.get(gateway.url + path) as answer:
                    assert answer.status == status
                    assert ("Retry-After" in answer.headers) == (status == 503)
            assert await (await join(gateway, "other")).closed() == 1013
    assert seqs(chunks) == list(range(chunks[0].seq, chunks[0].seq + len(chunks)))
    assert chunks[-1].discontinuity
    assert all(any(chunk.payload) for chunk in chunks)


async def test_a_gateway_starts_before_its_broker(
    tmp_path: Path, keys: Keyspace, join: Join, http: aiohttp.ClientSession
) -> None:
    """It answers, reports that it is not ready, and plays as soon as it can."""
    broker = EmbeddedBroker(tmp_path)
    async with serving(broker.url, keys) as gateway:
        for path, status in (("/healthz", 200), ("/readyz", 503), ("/api/v1/channels/main", 503)):
            async with http.get(gateway.url + path) as answer:
                assert answer.status == status
        assert await (await join(gateway)).closed() == 1013
        async with broker, connect(broker.url, name="test") as client:
            producer = Producer(client, keys)
            await producer.channels.ensure_main(sample_rate_hz=44_100)
            async with running(producer.run()):
                await until(lambda: gateway.hub.ready)
                assert contiguous(await (await join(gateway)).hear(3))


async def test_the_broker_loses_its_data(
    playing: Gateway, join: Join, client: Redis, keys: Keyspace, producer: Producer
) -> None:
    """``main`` is recreated; listeners are told the new epoch, and the stream goes on over their sockets."""
    first, second = await join(playing), await join(playing)
    await first.hear(5)
    old_epoch_us = producer.epoch_us
    await client.delete(keys.state("main"), keys.ring("main"), keys.ringmeta("main"), keys.score("main"))
    await until(lambda: producer.epoch_us != old_epoch_us)
    state = await first.told("state", epoch_us=producer.epoch_us)
    assert state["epoch_us"] == producer.epoch_us
    await until(lambda: playing.hub.ready)
    heard = [await hear_epoch(each, producer.epoch_us) for each in (first, second)]
    assert heard[0] == heard[1]
    assert not first.chunks[-1].discontinuity


async def hear_epoch(client: Client, epoch_us: int) -> dict[int, bytes]:
    """The chunks up to seq 10 of this epoch."""
    while True:
        found = {c.seq: c.payload for c in client.chunks if c.due_us - c.seq * 100_000 == epoch_us}
        if 10 in found:
            return {seq: payload for seq, payload in found.items() if seq <= 10}
        await client.next()


async def test_a_synth_that_stops_is_covered_and_counted(
    playing: Gateway, join: Join, producer: Producer, http: aiohttp.ClientSession
) -> None:
    """Seqs continue, marked, never silent; the next real chunk joins smoothly."""
    listener_ = await join(playing)
    producer.playing = False
    while not (listener_.chunks and listener_.chunks[-1].discontinuity):
        await listener_.next()
    producer.playing = True
    await listener_.hear(len(listener_.chunks) + 8)
    while listener_.chunks[-1].discontinuity:
        await listener_.next()
    chunks = listener_.chunks
    assert seqs(chunks) == list(range(chunks[0].seq, chunks[0].seq + len(chunks)))
    async with http.get(f"{playing.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    underruns = next(
        line for line in lines if line.startswith('auralis_ring_underruns_total{channel="main"}')
    )
    marked = sum(chunk.discontinuity for chunk in chunks)
    assert marked - 2 <= float(underruns.split()[-1]) <= marked


@contextlib.asynccontextmanager
async def spawned(**environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway in a separate process, which does not outlive its test."""
    inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.gateway"),
        env={**inherited, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def address(process: asyncio.subprocess.Process) -> str:
    """The address that it says it listens on."""
    assert process.stderr is not None
    async with asyncio.timeout(20):
        async for line in process.stderr:
            if b"gateway listens" in line:
                return line.split(b'"url": "')[1].split(b'"')[0].decode()
    raise AssertionError("it never listened")


async def test_sigterm_says_goodbye(
    redis_url: str, keys: Keyspace, producer: Producer, http: aiohttp.ClientSession
) -> None:
    """1001 to everybody, even with a listener that reads nothing; exit code 0 within 2 s."""
    environment = {"REDIS_URL": redis_url, "AURALIS_PREFIX": keys.prefix, "AURALIS_PORT": "0"}
    async with spawned(**environment) as process:
        url = await address(process)
        async with http.ws_connect(f"{url}/ws/main", protocols=["auralis.v1"]) as ws:
            client = Client(ws)
            _, silent = await silent_reader(url)
            await client.told("state", listeners=2)
            await client.hear(25)
            process.send_signal(signal.SIGTERM)
            assert await client.closed() == 1001
        async with asyncio.timeout(2):
            assert await process.wait() == 0
        silent.close()


async def test_a_port_in_use_is_one_line(redis_url: str, keys: Keyspace, gateway: Gateway) -> None:
    """Exit code 1, the reason in words, no traceback."""
    port = gateway.url.rsplit(":", 1)[1]
    async with spawned(REDIS_URL=redis_url, AURALIS_PREFIX=keys.prefix, AURALIS_PORT=port) as process:
        _, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert stderr.decode().strip().splitlines()[-1] == (
        f"auralis: can't listen on 127.0.0.1:{port}: Address already in use"
    )
    assert b"Traceback" not in stderr


async def test_a_gateway_needs_a_broker_url() -> None:
    """A usage error: exit code 2."""
    async with spawned() as process:
        _, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert b"REDIS_URL" in stderr
