"""The whole system, every process real: started as a user starts it, heard, controlled, killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from auralis.audio import AudioFormat
from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.keyspace import Keyspace
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.log import ScoreReader
from auralis.score.score import Score
from services.synth.renderer import Job, Renderer
from tests.device import DEVICE
from tests.e2e.listener import Listener, listening, samples
from tests.e2e.system import System, running_system

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system() -> AsyncIterator[System]:
    """One system with a spare worker, shared by all tests of the module."""
    async with running_system("--synth-workers", "2") as running:
        yield running


async def change(system: System, **controls: str | float) -> dict[str, int]:
    async with (
        aiohttp.ClientSession(system.url) as session,
        session.patch("/api/v1/channels/main/controls", json=controls) as response,
    ):
        assert response.status == 202
        answer: dict[str, int] = await response.json()
        return answer


class Versioned:
    """Follows the versions of the ring's chunks alongside a listener."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.versions: dict[int, Versions] = {}

    async def follow(self) -> None:
        async with connect(self.url, name="test") as client:
            reader = RingReader(client, Keyspace())
            while True:
                self.versions |= await reader.versions("main")
                await asyncio.sleep(0.03)

    async def unlike_offline(self, listener: Listener) -> list[int]:
        """The seqs whose bytes differ from an offline render of the log."""
        known = {seq: self.versions[seq] for seq in listener.seqs if seq in self.versions}
        assert len(known) > 10
        rendered = await self.rendered(known)
        return [seq for seq in known if rendered[seq] != listener.payloads[seq]]

    async def rendered(self, versions: Mapping[int, Versions]) -> dict[int, bytes]:
        """The chunks as the log renders them in these versions."""
        score, keys = Score(), Keyspace()
        async with connect(self.url, name="test") as client:
            state = await Channels(client, keys).state("main")
            for entry in await ScoreReader(client, keys).read("main"):
                score.apply(entry.id, entry.batch)
        renderer = Renderer(AudioFormat(), DEVICE)
        jobs = [Job(state.seed, score, seq, each) for seq, each in versions.items()]
        return {job.seq: renderer.render([job])[0] for job in jobs}


async def test_a_listener_gets_contiguous_sound(system: System) -> None:
    """Seqs without a hole, no discontinuity, a level above the floor, the format that hello announced."""
    async with listening(system.url) as listener:
        await listener.until(30)
    hello = listener.messages[0]
    assert (hello["type"], hello["sample_rate"], hello["frames_per_chunk"]) == ("hello", 44_100, 4410)
    assert listener.contiguous
    assert not listener.discontinuities
    assert 20 * np.log10(np.sqrt(np.mean(listener.samples() ** 2))) > -45


async def test_what_is_heard_is_the_offline_render_also_across_changes(system: System) -> None:
    """Controls are changed while listening; every byte is still a function of log and versions."""
    versioned = Versioned(system.broker_url)
    following = asyncio.create_task(versioned.follow())
    async with listening(system.url) as listener:
        await listener.until(10)
        for intensity, key in ((1.0, "D minor"), (0.1, "D minor"), (0.7, "A minor")):
            answer = await change(system, intensity=intensity, key=key)
            await listener.until(len(listener.payloads) + 8)
        await listener.until(len(listener.payloads) + 5)
    following.cancel()
    assert listener.contiguous
    assert not listener.discontinuities
    assert max(header.revision for header in listener.headers.values()) == answer["revision"]
    assert await versioned.unlike_offline(listener) == []


async def test_a_killed_synth_worker_is_not_heard(system: System) -> None:
    """SIGKILL to the worker that is rendering: no hole, no discontinuity, the same bytes."""
    versioned = Versioned(system.broker_url)
    following = asyncio.create_task(versioned.follow())
    async with listening(system.url) as listener:
        await listener.until(10)
        for pid in system.pids("synth")[:1]:
            os.kill(pid, signal.SIGKILL)
        await listener.until(len(listener.payloads) + 35)
    following.cancel()
    assert listener.contiguous
    assert not listener.discontinuities
    assert await versioned.unlike_offline(listener) == []


async def test_a_killed_sole_worker_is_not_heard() -> None:
    """Its standby takes over before the ring is empty, with the same bytes."""
    async with running_system() as alone:
        standby = await alone.standby()
        versioned = Versioned(alone.broker_url)
        following = asyncio.create_task(versioned.follow())
        async with listening(alone.url) as listener:
            await listener.until(10)
            os.kill(alone.pids("synth")[0], signal.SIGKILL)
            await listener.until(len(listener.payloads) + 35)
        following.cancel()
        assert alone.pids("synth")[0] == standby
        assert listener.contiguous
        assert not listener.discontinuities
        assert await versioned.unlike_offline(listener) == []


async def test_a_killed_composer_is_not_heard(system: System) -> None:
    """SIGKILL to the composer: restarted, it continues from the checkpoint and accepts controls again."""
    async with listening(system.url) as listener:
        await listener.until(10)
        for pid in system.pids("composer"):
            os.kill(pid, signal.SIGKILL)
        await listener.until(len(listener.payloads) + 30)
        answer = await change(system, intensity=0.4)
        assert answer["effective_seq"] is not None
    assert listener.contiguous
    assert not listener.discontinuities


async def test_the_player_plays_ten_seconds(page: Page, system: System) -> None:
    """Open, click, listen: sound above the floor for 10 s, no underrun."""
    await change(system, intensity=0.0)
    await page.goto(system.url)
    await page.get_by_role("button", name="Play").click()
    async with asyncio.timeout(10):  # the page's policy forbids the polling that Playwright would inject
        while await page.evaluate("auralis.state") != "playing":  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    await asyncio.sleep(2.0)
    levels = []
    for _ in range(40):
        await asyncio.sleep(0.25)
        levels.append(await page.evaluate("auralis.rms()"))
    assert min(levels) > 0.002
    assert (await page.evaluate("auralis.stats()"))["underruns"] == 0


async def test_the_sound_follows_the_slider(page: Page, system: System) -> None:
    """Higher intensity makes the sound brighter than the same music would have been without it."""
    await change(system, intensity=0.0)
    await page.goto(system.url)
    slider = page.locator("#control-intensity")
    await expect(slider).to_be_visible()
    versioned = Versioned(system.broker_url)
    following = asyncio.create_task(versioned.follow())
    async with listening(system.url) as listener:
        await listener.until(20)
        unturned = versioned.versions[listener.seqs[-1]].own
        await slider.fill("1")
        await listener.until(len(listener.payloads) + 40)
        last = listener.seqs[-20:]
        turned = listener.samples(20)
    following.cancel()
    otherwise = await versioned.rendered(dict.fromkeys(last, Versions(unturned, unturned)))
    assert centroid_hz(turned) > 1.1 * centroid_hz(samples(otherwise[seq] for seq in last))


def centroid_hz(x: np.ndarray) -> float:
    """Power-weighted spectral centroid of the left channel."""
    power = np.abs(np.fft.rfft(x[:, 0] * np.hanning(len(x)))) ** 2
    return float((np.fft.rfftfreq(len(x), 1 / 44_100) * power).sum() / power.sum())


async def test_a_sleeping_channel_wakes_within_a_second_of_its_listener(system: System) -> None:
    """A new channel that nobody has heard yet plays for its first listener."""
    async with (
        aiohttp.ClientSession(system.url) as session,
        session.post("/api/v1/channels", json={"id": "garden", "key": "E major"}) as response,
    ):
        assert response.status == 201
    async with listening(system.url, "garden") as listener:
        await listener.until(10)
    assert listener.contiguous
    async with (
        aiohttp.ClientSession(system.url) as session,
        session.delete("/api/v1/channels/garden") as gone,
    ):
        assert gone.status == 204
