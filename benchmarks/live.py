"""Measure a running system as its listeners see it.

Starts ``auralis up`` with data of its own, listens, turns a control, then renders the whole score log once
more and compares every byte. Prints one table::

    python benchmarks/live.py --minutes 10 --changes 50
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np

from auralis.audio import AudioFormat, due_us
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.keyspace import MAIN_CHANNEL, Keyspace
from auralis.score.log import ScoreReader
from auralis.score.score import Score
from auralis.supervise import free_port
from auralis.wire import unpack
from services.offline.replay import replay


@dataclass
class Heard:
    """What one listener received: payloads and lateness (s) by seq, first arrival (µs) by revision."""

    payloads: dict[int, bytes] = field(default_factory=dict)
    lateness_s: list[float] = field(default_factory=list)
    revision_us: dict[int, int] = field(default_factory=dict)
    discontinuities: int = 0
    burst: int = 0

    def take(self, frame: bytes) -> None:
        """Note one binary frame."""
        now_us = time.time_ns() // 1000
        header, payload = unpack(frame)
        self.discontinuities += header.discontinuity
        if len(self.payloads) >= self.burst:
            self.lateness_s.append((now_us - header.due_us) / 1e6)
        self.payloads[header.seq] = bytes(payload)
        self.revision_us.setdefault(header.revision, now_us)

    @property
    def holes(self) -> int:
        """Seqs that are missing between the first and the last one."""
        return max(self.payloads) - min(self.payloads) + 1 - len(self.payloads)


@dataclass(frozen=True)
class System:
    """A running ``auralis up``."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    data_dir: Path
    started: float

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def broker_url(self) -> str:
        """The embedded broker's address."""
        return (self.data_dir / str(self.port) / "url").read_text()


async def first_chunk_s(system: System) -> float:
    """Seconds from the start until a listener has its first chunk."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(f"{system.url}/ws/main", protocols=["auralis.v1"]) as socket:
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.BINARY:
                            return time.monotonic() - system.started
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def listen(url: str, heard: Heard) -> None:
    """Receive until cancelled."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws/main", protocols=["auralis.v1"]) as socket,
    ):
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                heard.take(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                heard.burst = json.loads(message.data).get("burst", heard.burst)


async def turn(url: str, heard: Heard, changes: int, pause_s: float) -> list[tuple[float, float]]:
    """Turn the intensity; seconds from each turn to the first chunk that carries it: due, and arrived."""
    chance = random.Random(1)  # noqa: S311  a fixed walk, no secret
    measured = []
    async with aiohttp.ClientSession(url) as session:
        epoch_us = (await (await session.get("/api/v1/channels/main")).json())["epoch_us"]
        for _ in range(changes):
            await asyncio.sleep(pause_s * chance.uniform(0.7, 1.3))
            sent_us = time.time_ns() // 1000
            body = {"intensity": round(chance.random(), 2)}
            async with session.patch("/api/v1/channels/main/controls", json=body) as response:
                answer = await response.json()
            while answer["revision"] not in heard.revision_us:
                await asyncio.sleep(0.01)
            due_s = (due_us(epoch_us, answer["effective_seq"]) - sent_us) / 1e6
            measured.append((due_s, (heard.revision_us[answer["revision"]] - sent_us) / 1e6))
    return measured


async def differing(broker_url: str, heard: Heard) -> list[int]:
    """The seqs whose bytes are not what the score log gives."""
    keys, score = Keyspace(), Score()
    async with connect(broker_url, name="benchmark") as client:
        state = await Channels(client, keys).state(MAIN_CHANNEL)
        for entry in await ScoreReader(client, keys).read(MAIN_CHANNEL):
            score.apply(entry.id, entry.batch)
    seqs = sorted(heard.payloads)
    rendered = replay(score, state.seed, AudioFormat(state.sample_rate_hz), seqs)
    return [seq for seq, pcm in zip(seqs, rendered, strict=True) if pcm != heard.payloads[seq]]


def resident_mb(parent: int) -> dict[str, float]:
    """Resident memory of the supervisor and each of its processes in MB."""
    listing = subprocess.run(
        ["ps", "-eo", "pid,ppid,rss,args"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[1:]
    sizes = {}
    for line in listing:
        pid, ppid, rss, args = line.split(None, 3)
        if int(pid) == parent:
            sizes["supervisor"] = int(rss) / 1024
        elif int(ppid) == parent:
            sizes["broker" if "valkey" in args else args.split()[-1]] = int(rss) / 1024
    return sizes


def quantiles(values: list[float], unit: float = 1e3) -> str:
    """Median, p99 and maximum in milliseconds."""
    scaled = np.array(values) * unit
    return f"p50 {np.median(scaled):.1f}  p99 {np.percentile(scaled, 99):.1f}  max {scaled.max():.1f} ms"


def counters(port: int) -> dict[str, float]:
    """What a worker counted that should not have happened, and how long a chunk took to render."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
        samples = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    wanted = ("auralis_ring_refused_total", "auralis_synth_deadline_misses_total")
    found = {name: float(value) for name, value in samples.items() if name.startswith(wanted)}
    buckets = {
        float(name.split('"')[1]): float(value)
        for name, value in samples.items()
        if name.startswith("auralis_synth_render_seconds_bucket")
    }
    return found | {f"render p{share} below (s)": quantile(buckets, share / 100) for share in (50, 99)}


def quantile(buckets: dict[float, float], share: float) -> float:
    """The upper edge of the histogram bucket that holds ``share`` of what was observed."""
    total = max(buckets.values())
    return min(edge for edge, count in buckets.items() if count >= share * total)


@asynccontextmanager
async def running(synth_workers: int) -> AsyncIterator[System]:
    """``auralis up`` with data and ports of its own."""
    with tempfile.TemporaryDirectory() as data:
        port, metrics_port = free_port("127.0.0.1"), free_port("127.0.0.1")
        command = [sys.executable, "-m", "auralis", "up", "--port", str(port), "--data-dir", data]
        command += ["--synth-workers", str(synth_workers)]
        environment = os.environ | {"AURALIS_METRICS_PORT": str(metrics_port)}
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment)
        try:
            yield System(process, port, metrics_port, Path(data), started)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(15)


async def measure(minutes: float, changes: int, synth_workers: int) -> bool:
    """Run everything and print the table; True if nothing was wrong."""
    async with running(synth_workers) as system:
        show("start to first chunk", f"{await first_chunk_s(system):.1f} s")
        # A ring's first chunk fades in from silence, which no log tells: it must not be in the burst.
        await asyncio.sleep(1.0)
        heard = Heard()
        listening = asyncio.create_task(listen(system.url, heard))
        begun = time.monotonic()
        turned = await turn(system.url, heard, changes, 0.8 * minutes * 60 / max(changes, 1))
        await asyncio.sleep(max(0.0, minutes * 60 - (time.monotonic() - begun)))
        listening.cancel()
        for name, size in sorted(resident_mb(system.process.pid).items()):
            show(f"memory {name}", f"{size:.0f} MB")
        for name, value in counters(system.metrics_port + 1).items():
            show(name, f"{value:g}")
        wrong = await differing(system.broker_url, heard)
        report(heard, turned, wrong)
    return not (wrong or heard.holes or heard.discontinuities or system.process.returncode)


def report(heard: Heard, turned: list[tuple[float, float]], wrong: list[int]) -> None:
    """What the listener received."""
    show("chunks", f"{len(heard.payloads)}, holes {heard.holes}, discontinuities {heard.discontinuities}")
    show("bytes unlike the replay", f"{len(wrong)} chunks")
    show("lateness", quantiles(heard.lateness_s))
    if turned:
        show("control to chunk, due", quantiles([due for due, _ in turned]))
        show("control to chunk, there", quantiles([there for _, there in turned]))


def show(what: str, value: str) -> None:
    """One row of the table."""
    print(f"{what:<48} {value}", flush=True)


def main() -> None:
    """Read the arguments, measure, exit with 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--synth-workers", type=int, default=1)
    given = parser.parse_args()
    sys.exit(not asyncio.run(measure(given.minutes, given.changes, given.synth_workers)))


if __name__ == "__main__":
    main()
