"""Measure a running system as its listeners see it.

Starts ``auralis up`` with data of its own, listens, turns a control, then renders the whole score log once
more and compares every byte. Several channels have a listener each and are turned at the same time. The
machine is watched meanwhile: how often it stood still is in the table too::

    python -m benchmarks.live --minutes 10 --changes 50
    python -m benchmarks.live --minutes 5 --changes 20 --channels 8
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
from tests.e2e.system import running_system

_LATE_US: Final = 100_000


class Arrival(NamedTuple):
    """When a chunk was due and when it came, µs."""

    due_us: int
    at_us: int


class Turn(NamedTuple):
    """Seconds from turning a control until the first chunk that carries it was due, and until it came."""

    due_s: float
    there_s: float


@dataclass
class Heard:
    """What one listener received: payloads by seq, arrivals, the first arrival (µs) by revision."""

    payloads: dict[int, bytes] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    revision_us: dict[int, int] = field(default_factory=dict)
    discontinuities: int = 0
    burst: int = 0

    def take(self, frame: bytes) -> None:
        """Record one binary frame."""
        now_us = time.time_ns() // 1000
        header, payload = unpack(frame)
        self.discontinuities += header.discontinuity
        if len(self.payloads) >= self.burst:
            self.arrivals.append(Arrival(header.due_us, now_us))
        self.payloads[header.seq] = bytes(payload)
        self.revision_us.setdefault(header.revision, now_us)

    @property
    def holes(self) -> int:
        """The number of seqs missing between the first and the last one."""
        return max(self.payloads) - min(self.payloads) + 1 - len(self.payloads)


async def first_chunk(url: str, channel: str) -> None:
    """Wait until a listener has its first chunk."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(f"{url}/ws/{channel}", protocols=["auralis.v1"]) as socket:
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.BINARY:
                            return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def open_channels(url: str, count: int) -> dict[str, Heard]:
    """``main`` and ``count - 1`` new channels, each with a record of what its listener will hear."""
    names = [MAIN_CHANNEL, *(f"benchmark-{seed}" for seed in range(1, count))]
    async with aiohttp.ClientSession(url, raise_for_status=True) as session:
        for seed, name in enumerate(names[1:], 1):
            await session.post("/api/v1/channels", json={"id": name, "seed": seed})
    await asyncio.gather(*(first_chunk(url, name) for name in names[1:]))
    return {name: Heard() for name in names}


async def listen(url: str, channel: str, heard: Heard) -> None:
    """Receive until cancelled."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/ws/{channel}", protocols=["auralis.v1"]) as socket,
    ):
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                heard.take(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                heard.burst = json.loads(message.data).get("burst", heard.burst)


async def turn(url: str, channels: dict[str, Heard], changes: int, pause_s: float) -> list[Turn]:
    """Turn the intensity of all channels, ``changes`` times."""
    chance = random.Random(1)  # noqa: S311  a fixed walk, no secret
    measured = []
    async with aiohttp.ClientSession(url) as session:
        for _ in range(changes):
            await asyncio.sleep(pause_s * chance.uniform(0.7, 1.3))
            turns = [turn_one(session, *each, round(chance.random(), 2)) for each in channels.items()]
            measured += await asyncio.gather(*turns)
    return measured


async def turn_one(session: aiohttp.ClientSession, channel: str, heard: Heard, intensity: float) -> Turn:
    """Turn one channel's ``intensity`` and wait until it is heard."""
    path, sent_us = f"/api/v1/channels/{channel}", time.time_ns() // 1000
    async with session.patch(f"{path}/controls", json={"intensity": intensity}) as response:
        answer = await response.json()
    while answer["revision"] not in heard.revision_us:
        await asyncio.sleep(0.01)
    epoch_us = (await (await session.get(path)).json())["epoch_us"]
    due_s = (due_us(epoch_us, answer["effective_seq"]) - sent_us) / 1e6
    return Turn(due_s, (heard.revision_us[answer["revision"]] - sent_us) / 1e6)


async def differing(broker_url: str, channel: str, heard: Heard) -> list[int]:
    """The seqs whose bytes differ from a replay of the score log."""
    keys, score = Keyspace(), Score()
    async with connect(broker_url, name="benchmark") as client:
        state = await Channels(client, keys).state(channel)
        for entry in await ScoreReader(client, keys).read(channel):
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
            # Workers are numbered by age; if there is only one, number 2 is its standby.
            number = sum(other.startswith(name) for other in sizes) + 1
            sizes[f"{name} {number}" if number > 1 else name] = int(rss) / 1024
    return sizes


def quantiles(values: list[float], unit: float = 1e3) -> str:
    """Median, p99 and maximum in milliseconds."""
    scaled = np.array(values) * unit
    return f"p50 {np.median(scaled):.1f}  p99 {np.percentile(scaled, 99):.1f}  max {scaled.max():.1f} ms"


def counters(port: int) -> dict[str, float]:
    """A worker's counts of what should not happen, and how long a chunk takes to render and to store."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
        samples = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    wanted = ("auralis_ring_refused_total", "auralis_synth_deadline_misses_total")
    found = {name: float(value) for name, value in samples.items() if name.startswith(wanted)}
    timed = {
        "render": "auralis_synth_render_seconds",
        "taken up to in the ring": "auralis_synth_chunk_seconds",
    }
    return found | {
        f"{what}, p{share} below (ms)": 1000 * quantile(samples, name, share / 100)
        for what, name in timed.items()
        for share in (50, 99)
    }


def quantile(samples: dict[str, str], name: str, share: float) -> float:
    """The upper edge of the first histogram bucket that covers ``share`` of the observations."""
    prefix = f"{name}_bucket{{le="
    buckets = {
        float(key.split('"')[1]): float(count) for key, count in samples.items() if key.startswith(prefix)
    }
    return min(edge for edge, count in buckets.items() if count >= share * max(buckets.values()))


async def measure(minutes: float, changes: int, synth_workers: int, channels: int) -> bool:
    """Run everything and print the table; True if nothing was wrong."""
    metrics_port, started = free_port("127.0.0.1"), time.monotonic()
    flags, environment = ("--synth-workers", str(synth_workers)), {"AURALIS_METRICS_PORT": str(metrics_port)}
    async with running_system(*flags, **environment) as system:
        await first_chunk(system.url, MAIN_CHANNEL)
        show("start to first chunk", f"{time.monotonic() - started:.1f} s")
        everything = await open_channels(system.url, channels)
        # A ring's first chunk fades in from silence, which the log does not record: keep it out of the burst.
        await asyncio.sleep(1.0)
        with watching() as stalls:
            turned = await hear(system.url, everything, minutes, changes)
        for name, size in sorted(resident_mb(system.process.pid).items()):
            show(f"memory {name}", f"{size:.0f} MB")
        for name, value in counters(metrics_port + 1).items():
            show(name, f"{value:g}")
        wrong = [await differing(system.broker_url, *each) for each in everything.items()]
    heard = list(everything.values())
    report(heard, turned, sum(map(len, wrong)))
    report_lateness([arrival for each in heard for arrival in each.arrivals], stalls)
    return not (any(wrong) or any(each.holes or each.discontinuities for each in heard))


async def hear(url: str, channels: dict[str, Heard], minutes: float, changes: int) -> list[Turn]:
    """Listen to all ``channels`` for ``minutes`` and turn a control of each meanwhile."""
    begun = time.monotonic()
    listening = [asyncio.create_task(listen(url, *each)) for each in channels.items()]
    turned = await turn(url, channels, changes, 0.8 * minutes * 60 / max(changes, 1))
    await asyncio.sleep(max(0.0, minutes * 60 - (time.monotonic() - begun)))
    for task in listening:
        task.cancel()
    return turned


def report(heard: list[Heard], turned: list[Turn], wrong: int) -> None:
    """Print what the listeners received."""
    chunks, holes, breaks = (
        sum(values)
        for values in zip(
            *((len(each.payloads), each.holes, each.discontinuities) for each in heard), strict=True
        )
    )
    show("chunks", f"{chunks}, holes {holes}, discontinuities {breaks}")
    show("bytes unlike the replay", f"{wrong} chunks")
    if turned:
        show("control to chunk, due", quantiles([each.due_s for each in turned]))
        show("control to chunk, there", quantiles([each.there_s for each in turned]))


def report_lateness(arrivals: list[Arrival], stalls: Stalls) -> None:
    """Print how late chunks came, and how late a bare sleep was meanwhile."""
    late = [each for each in arrivals if each.at_us - each.due_us > _LATE_US]
    excused = sum(stalls.within(*arrival) for arrival in late)
    show("lateness", quantiles([(each.at_us - each.due_us) / 1e6 for each in arrivals]))
    show("late by more than 100 ms", f"{len(late)} chunks, {excused} of them while the machine stood still")
    priority = "real-time" if stalls.real_time else "normal"
    seconds = sum(end - start for start, end in stalls.spans_us) / 1e6
    told = f"{len(stalls.spans_us)} times {seconds:.1f} s in all, longest {stalls.longest_ms:.0f} ms"
    show(f"a bare sleep ({priority} priority) was late", told)


def show(what: str, value: str) -> None:
    """Print one row of the table."""
    print(f"{what:<48} {value}", flush=True)


def main() -> None:
    """Read the arguments, measure, exit with 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--synth-workers", type=int, default=1)
    parser.add_argument("--channels", type=int, default=1)
    sys.exit(not asyncio.run(measure(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
