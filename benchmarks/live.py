"""Measure a running system as its listeners see it.

Starts ``auralis up`` with data of its own, listens, turns a control, then renders the whole score log once
more and compares every byte. Beside it the machine is watched: how often it stood still is in the table too::

    python -m benchmarks.live --minutes 10 --changes 50
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import aiohttp
import numpy as np

from auralis.audio import AudioFormat, due_us
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.keyspace import MAIN_CHANNEL, Keyspace
from auralis.score.log import ScoreReader
from auralis.score.score import Score
from auralis.settings import Settings
from auralis.supervise import free_port
from auralis.wire import unpack
from benchmarks.stalls import Stalls, watching
from services.offline.replay import replay
from services.synth import device
from tests.e2e.system import System, running_system

_LATE_US: Final = 100_000


class Arrival(NamedTuple):
    """When a chunk was due and when it came, µs."""

    due_us: int
    at_us: int


@dataclass
class Heard:
    """What one listener received: payloads by seq, arrivals, the first arrival (µs) by revision."""

    payloads: dict[int, bytes] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    revision_us: dict[int, int] = field(default_factory=dict)
    discontinuities: int = 0
    burst: int = 0

    def take(self, frame: bytes) -> None:
        """Note one binary frame."""
        now_us = time.time_ns() // 1000
        header, payload = unpack(frame)
        self.discontinuities += header.discontinuity
        if len(self.payloads) >= self.burst:
            self.arrivals.append(Arrival(header.due_us, now_us))
        self.payloads[header.seq] = bytes(payload)
        self.revision_us.setdefault(header.revision, now_us)

    @property
    def holes(self) -> int:
        """Seqs that are missing between the first and the last one."""
        return max(self.payloads) - min(self.payloads) + 1 - len(self.payloads)


async def first_chunk_s(system: System, started: float) -> float:
    """Seconds since ``started`` when a listener has its first chunk."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(f"{system.url}/ws/main", protocols=["auralis.v1"]) as socket:
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.BINARY:
                            return time.monotonic() - started
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
    audio, chosen = AudioFormat(state.sample_rate_hz), device.choose(Settings().device)
    rendered = replay(score, state.seed, audio, seqs, chosen)
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
            name = "broker" if "valkey" in args else args.split()[-1]
            # Workers by age; the second of a sole one is its standby.
            number = sum(other.startswith(name) for other in sizes) + 1
            sizes[f"{name} {number}" if number > 1 else name] = int(rss) / 1024
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


async def measure(minutes: float, changes: int, synth_workers: int) -> bool:
    """Run everything and print the table; True if nothing was wrong."""
    metrics_port, started = free_port("127.0.0.1"), time.monotonic()
    flags, environment = ("--synth-workers", str(synth_workers)), {"AURALIS_METRICS_PORT": str(metrics_port)}
    async with running_system(*flags, **environment) as system:
        show("start to first chunk", f"{await first_chunk_s(system, started):.1f} s")
        # A ring's first chunk fades in from silence, which no log tells: it must not be in the burst.
        await asyncio.sleep(1.0)
        with watching() as stalls:
            heard, turned = await hear(system, minutes, changes)
        for name, size in sorted(resident_mb(system.process.pid).items()):
            show(f"memory {name}", f"{size:.0f} MB")
        for name, value in counters(metrics_port + 1).items():
            show(name, f"{value:g}")
        wrong = await differing(system.broker_url, heard)
        report(heard, turned, wrong)
        report_lateness(heard, stalls)
    return not (wrong or heard.holes or heard.discontinuities)


async def hear(system: System, minutes: float, changes: int) -> tuple[Heard, list[tuple[float, float]]]:
    """Listen for ``minutes`` and turn a control meanwhile."""
    heard, begun = Heard(), time.monotonic()
    listening = asyncio.create_task(listen(system.url, heard))
    turned = await turn(system.url, heard, changes, 0.8 * minutes * 60 / max(changes, 1))
    await asyncio.sleep(max(0.0, minutes * 60 - (time.monotonic() - begun)))
    listening.cancel()
    return heard, turned


def report(heard: Heard, turned: list[tuple[float, float]], wrong: list[int]) -> None:
    """What the listener received."""
    show("chunks", f"{len(heard.payloads)}, holes {heard.holes}, discontinuities {heard.discontinuities}")
    show("bytes unlike the replay", f"{len(wrong)} chunks")
    if turned:
        show("control to chunk, due", quantiles([due for due, _ in turned]))
        show("control to chunk, there", quantiles([there for _, there in turned]))


def report_lateness(heard: Heard, stalls: Stalls) -> None:
    """How late chunks came, and how late a bare sleep was meanwhile."""
    late = [a for a in heard.arrivals if a.at_us - a.due_us > _LATE_US]
    excused = sum(stalls.within(*arrival) for arrival in late)
    show("lateness", quantiles([(a.at_us - a.due_us) / 1e6 for a in heard.arrivals]))
    show("late by more than 100 ms", f"{len(late)} chunks, {excused} of them while the machine stood still")
    priority = "real-time" if stalls.real_time else "normal"
    seconds = sum(end - start for start, end in stalls.spans_us) / 1e6
    told = f"{len(stalls.spans_us)} times {seconds:.1f} s in all, longest {stalls.longest_ms:.0f} ms"
    show(f"a bare sleep ({priority} priority) was late", told)


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
