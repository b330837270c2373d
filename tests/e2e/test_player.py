"""The player's sound and connection, in a real browser against a gateway that fails on demand."""

import asyncio
from statistics import median
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.e2e.fake_gateway import FakeGateway
from tests.e2e.listening import becomes, playing, rms, stats, until, warm

# Each side contributes half, and their pitches differ: 0.5 * 0.25 / sqrt(2) * sqrt(2).
TONE_RMS: Final = 0.125
FLOOR_RMS: Final = 0.05

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_plays_for_ten_seconds_without_an_underrun(page: Page, gateway: FakeGateway) -> None:
    """From the click on: sound above the floor, no underrun, a latency near its target, and stats sent."""
    await playing(page, gateway)
    await asyncio.sleep(0.4)
    latencies_ms = []
    for _ in range(50):
        assert await rms(page) > FLOOR_RMS
        latencies_ms.append((await stats(page))["latency_ms"])
        await asyncio.sleep(0.2)
    figures = await stats(page)
    assert figures["underruns"] == figures["missing_chunks"] == figures["bad_frames"] == 0
    assert 280 <= median(latencies_ms) <= 450
    (sent,) = gateway.heard("stats")
    assert set(sent) == {"type", "buffer_ms", "underruns", "latency_ms", "reconnects"}
    assert 250 <= sent["buffer_ms"] <= 450


async def test_nothing_sounds_before_the_click(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    await asyncio.sleep(0.3)
    assert await rms(page) == 0
    await expect(page.get_by_role("status").first).to_have_text("Ready when you are.")


async def test_a_warm_page_sounds_within_300_ms(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    await asyncio.sleep(1)
    await page.get_by_role("button", name="Play").click()
    await becomes(page, "playing")
    assert (await stats(page))["start_ms"] <= 300


async def test_other_sample_rates_play(page: Page) -> None:
    """A stream of 48 kHz is heard at the right level."""
    async with FakeGateway(rate=48_000).running() as gateway:
        await playing(page, gateway)
        await page.locator("#volume").fill("100")
        await asyncio.sleep(1)
        assert await rms(page) == pytest.approx(TONE_RMS, rel=0.1)


async def test_pausing_is_silent_and_playing_on_is_quick(page: Page, gateway: FakeGateway) -> None:
    await playing(page, gateway)
    await page.get_by_role("button", name="Pause").click()
    await becomes(page, "paused")
    await until(lambda: page.evaluate("auralis.context.state === 'suspended'"), "a sleeping context")
    assert await rms(page) == 0
    await page.get_by_role("button", name="Play").click()
    await becomes(page, "playing")
    assert (await stats(page))["underruns"] == 0


async def test_a_page_that_does_not_play_lets_go_of_the_stream(page: Page, gateway: FakeGateway) -> None:
    """After a silent minute nothing is streamed any more; moving a control reconnects."""
    await page.clock.install()
    await warm(page, gateway)
    await page.clock.fast_forward(50_000)
    await asyncio.sleep(0.3)
    assert (gateway.attempts, len(gateway.listeners)) == (1, 1)
    await page.clock.fast_forward(11_000)
    await until(lambda: not gateway.listeners, "the end of the connection")
    await page.locator("#control-bpm").fill("75")
    await page.clock.run_for(1_000)
    await until(lambda: gateway.controls["bpm"] == 75, "the change")
    assert gateway.attempts == 2


async def test_it_resumes_where_the_server_dropped_it(page: Page, gateway: FakeGateway) -> None:
    """A lost connection is reported in words, retried with ``since``, and loses no chunk."""
    await playing(page, gateway)
    await asyncio.sleep(0.5)
    last_seq = (await stats(page))["last_seq"]
    await gateway.drop(1011)
    await expect(page.locator("#state")).to_contain_text("The connection is lost. Playing what is held.")
    await expect(page.locator("#retry")).to_contain_text("Trying again in")
    await becomes(page, "playing")
    await until(lambda: rms_over_floor(page), "sound")
    figures = await stats(page)
    assert figures["reconnects"] == 1
    assert figures["missing_chunks"] == 0
    assert gateway.listeners[0].since >= last_seq


async def rms_over_floor(page: Page) -> bool:
    return await rms(page) > FLOOR_RMS


async def test_a_leaving_server_is_asked_again_at_once(page: Page, gateway: FakeGateway) -> None:
    """After close code 1001 the next connection follows within half a second."""
    await playing(page, gateway)
    await gateway.drop(1001)
    await until(lambda: gateway.attempts == 2, "the next connection", timeout_s=1.0)
    await becomes(page, "playing")
    assert (await stats(page))["missing_chunks"] == 0


async def test_a_stall_fades_and_recovers(page: Page, gateway: FakeGateway) -> None:
    """Two seconds without data: silence, words, then the music again; one underrun and a larger target."""
    await playing(page, gateway)
    await asyncio.sleep(0.5)
    gateway.flowing.clear()
    await becomes(page, "stalled")
    await expect(page.locator("#state")).to_contain_text("The network paused.")
    await asyncio.sleep(1.5)
    assert await rms(page) == 0
    gateway.flowing.set()
    await becomes(page, "playing")
    await until(lambda: rms_over_floor(page), "sound")
    figures = await stats(page)
    assert figures["underruns"] == 1
    assert figures["missing_chunks"] == 0
    assert 400 <= figures["target_ms"] <= 450


async def test_a_busy_page_is_not_heard(page: Page, gateway: FakeGateway) -> None:
    """Chunks reach the sound although the page is busy for four times as long as the buffer lasts."""
    await playing(page, gateway)
    await asyncio.sleep(0.5)
    last_seq = (await stats(page))["last_seq"]
    await page.evaluate("for (const end = performance.now() + 1500; performance.now() < end; );")
    await until(lambda: seq_from(page, last_seq + 15), "the chunks of that time")
    figures = await stats(page)
    assert figures["underruns"] == figures["missing_chunks"] == 0
    assert await rms(page) > FLOOR_RMS


async def seq_from(page: Page, seq: int) -> bool:
    return bool((await stats(page))["last_seq"] >= seq)


async def test_a_page_without_all_its_parts_says_so(page: Page, gateway: FakeGateway) -> None:
    """A script that could not be loaded is named, and the message remains when somebody presses play."""
    await page.route("**/net/stream.js", lambda route: route.abort())
    await page.goto(gateway.url)
    await becomes(page, "failed")
    await page.get_by_role("button", name="Play").click()
    await asyncio.sleep(0.3)
    await expect(page.locator("#state")).to_contain_text("a part of this page did not load")


async def test_a_suspended_context_is_resumed(page: Page, gateway: FakeGateway) -> None:
    await playing(page, gateway)
    await page.evaluate("auralis.context.suspend()")
    await becomes(page, "suspended")
    await becomes(page, "playing")
    await until(lambda: rms_over_floor(page), "sound")


async def test_bad_and_repeated_frames_are_ignored(page: Page, gateway: FakeGateway) -> None:
    await playing(page, gateway)
    (listener,) = gateway.listeners
    await listener.socket.send_bytes(b"noise")
    await listener.socket.send_bytes(gateway.frame(gateway.live_seq - 3))
    await listener.socket.send_str("{")
    await asyncio.sleep(0.3)
    figures = await stats(page)
    assert (figures["bad_frames"], figures["duplicate_chunks"]) == (2, 1)
    assert await rms(page) > FLOOR_RMS


async def test_a_missing_channel_is_named_and_not_asked_for_again(page: Page, gateway: FakeGateway) -> None:
    await page.goto(gateway.url + "?channel=attic")
    await becomes(page, "no-channel")
    await expect(page.locator("#state")).to_have_text("There is no channel called “attic”.")
    await asyncio.sleep(1.2)
    assert gateway.attempts == 1
    await page.get_by_role("button", name="Play").click()
    await until(lambda: gateway.attempts == 2, "one more attempt, by hand")
