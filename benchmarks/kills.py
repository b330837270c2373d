"""Kill the synth worker that plays, again and again, and count what the listeners hear of it.

Starts ``auralis up`` with data of its own and listens to all channels. Before each kill all of them are
turned to a high intensity; three seconds later the worker that plays ``main`` is killed. The gateway covers
and marks a chunk that is not there in time; the table says how many it covered, and how soon another worker
had the channel. ``--busy`` processes that only spin take the processor from everything else::

    python -m benchmarks.kills --kills 6 --synth-workers 2
    python -m benchmarks.kills --kills 6 --busy 2
"""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import aiohttp
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.clock import BrokerClock
from auralis.keyspace import MAIN_CHANNEL, Keyspace
from auralis.ring.reader import RingReader
from auralis.timing import RING_CHUNKS, first_unfrozen_seq
from benchmarks.live import Heard, first_chunk, listen, open_channels, show
from tests.e2e.system import System, running_system

_BEFORE_S: Final = 3.0
_AFTER_S: Final = 4.0
# Until the restarted worker has loaded everything, even on a crowded machine.
_RECOVERY_S: Final = 12.0
_TURNS: Final = ({"intensity": 0.9, "bpm": 75}, {"intensity": 0.5, "bpm": 60})


@contextlib.contextmanager
def busy(count: int, *, apart: bool = False) -> Iterator[None]:
    """Run ``count`` processes that only spin; they end with this process, however it ends.

    ``apart``: each in a session of its own; Linux shares the processor among sessions first.
    """
    count_on = [sys.executable, "-c", "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"]
    processes = [subprocess.Popen(count_on, start_new_session=apart) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()


async def player(client: Redis) -> str:
    """The name of the worker that has ``main``; the name contains its process id."""
    keys = Keyspace()
    assigned = await Channels(client, keys).assignments()
    entry = next(str(entry) for entry, channel in assigned if channel == MAIN_CHANNEL)
    pending = await client.xpending_range(keys.channels, "synth", min=entry, max=entry, count=1)
    return cast("list[dict[str, Any]]", pending)[0]["consumer"].decode()


async def taken_s(client: Redis, killed: str, at_s: float) -> float:
    """Seconds from the kill at ``at_s`` until another worker had ``main``."""
    while await player(client) in (killed, "nobody"):
        await asyncio.sleep(0.005)
    return time.monotonic() - at_s


async def turn(url: str, names: Iterable[str], controls: Mapping[str, float]) -> None:
    """Turn ``controls`` of all channels ``names``."""
    async with aiohttp.ClientSession(url, raise_for_status=True) as session:
        for name in names:
            await session.patch(f"/api/v1/channels/{name}/controls", json=controls)


@contextlib.asynccontextmanager
async def hearing(system: System, channels: int) -> AsyncIterator[dict[str, Heard]]:
    """Listen to ``channels`` channels within the block; yields what each listener hears."""
    await first_chunk(system.url, MAIN_CHANNEL)
    heard = await open_channels(system.url, channels)
    listening = [asyncio.create_task(listen(system.url, *each)) for each in heard.items()]
    yield heard
    for task in listening:
        task.cancel()


class Killed(NamedTuple):
    """The outcome of one kill.

    ``taken_s``: until another worker had ``main``; ``lowest``: the fewest chunks that its ring had left;
    ``covered``: chunks of all channels that were missing when due.
    """

    taken_s: float
    lowest: int
    covered: int


async def lowest_ring(client: Redis, seconds: float) -> int:
    """The fewest chunks that the ring of ``main`` has left (not yet frozen), over the next ``seconds``."""
    keys, clock = Keyspace(), BrokerClock(client)
    await clock.start()
    epoch_us, rings = (await Channels(client, keys).state(MAIN_CHANNEL)).epoch_us, RingReader(client, keys)
    until_us, lowest = clock.now_us() + int(seconds * 1e6), RING_CHUNKS
    while (now_us := clock.now_us()) < until_us:
        head = max(await rings.versions(MAIN_CHANNEL), default=0)
        lowest = min(lowest, head + 1 - first_unfrozen_seq(epoch_us, now_us))
        await asyncio.sleep(0.02)
    return lowest


async def kill(client: Redis, system: System, heard: dict[str, Heard]) -> Killed:
    """Kill the worker that plays ``main``, and measure the outcome."""
    high, low = _TURNS
    await turn(system.url, heard, high)
    await asyncio.sleep(_BEFORE_S)
    killed, before = await player(client), sum(each.discontinuities for each in heard.values())
    os.kill(int(killed.split("-")[-2]), signal.SIGKILL)
    taken, lowest = await asyncio.gather(
        taken_s(client, killed, time.monotonic()), lowest_ring(client, _AFTER_S)
    )
    covered = sum(each.discontinuities for each in heard.values()) - before
    await turn(system.url, heard, low)
    await asyncio.sleep(_RECOVERY_S)
    return Killed(taken, lowest, covered)


async def measure(kills: int, synth_workers: int, channels: int, spinning: int) -> None:
    """Run everything and print the table."""
    async with (
        running_system("--synth-workers", str(synth_workers)) as system,
        hearing(system, channels) as heard,
    ):
        await asyncio.sleep(_RECOVERY_S)
        async with connect(system.broker_url, name="benchmark") as client:
            with busy(spinning):
                found = [await kill(client, system, heard) for _ in range(kills)]
    show("kills, heard", f"{kills}, {sum(each.covered > 0 for each in found)}")
    show("chunks covered, by kill", " ".join(str(each.covered) for each in found))
    show("another worker had the channel after", " ".join(f"{each.taken_s:.2f}" for each in found) + " s")
    show("chunks that the ring still had", " ".join(str(each.lowest) for each in found))
    show(
        "chunks, holes",
        f"{sum(len(h.payloads) for h in heard.values())}, {sum(h.holes for h in heard.values())}",
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--synth-workers", type=int, default=1)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--busy", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(measure(given.kills, given.synth_workers, given.channels, given.busy))


if __name__ == "__main__":
    main()
