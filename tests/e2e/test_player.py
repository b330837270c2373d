"""The player in a real browser against a gateway that speaks the contract and fails on demand."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from auralis.controls import LAYERS, ROOMS
from tests.e2e.fake_gateway import FakeGateway
from tests.e2e.listening import becomes, playing, rms, stats, until, warm

# Half of each side in the mean, their pitches unlike: 0.5 * 0.25 / sqrt(2) * sqrt(2).
TONE_RMS: Final = 0.125
FLOOR_RMS: Final = 0.05
SESAME: Final = "open sesame"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway().running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def locked_gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway(token=SESAME).running() as running:
        yield running


async def test_it_plays_for_ten_seconds_without_an_underrun(page: Page, gateway: FakeGateway) -> None:
    """From the click on: sound over the floor, no underrun, a latency near its target, and stats sent."""
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
    """A stream of 48 kHz is heard at its level."""
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
    """After a silent minute nothing is streamed any more; turning a control connects again."""
    await page.clock.install()
    await warm(page, gateway)
    # As if the machine had slept: the connection looks lost, once, and is back within a second.
    await page.clock.fast_forward(50_000)
    await until(lambda: gateway.attempts == 2 and len(gateway.listeners) == 1, "the next connection")
    await page.clock.fast_forward(11_000)
    await until(lambda: not gateway.listeners, "the end of the connection")
    await page.locator("#control-bpm").fill("75")
    await page.clock.run_for(1_000)
    await until(lambda: gateway.controls["bpm"] == 75, "the change")


async def test_it_resumes_where_the_server_dropped_it(page: Page, gateway: FakeGateway) -> None:
    """A lost connection is said in words, retried with ``since``, and loses no chunk."""
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


async def test_everything_can_be_done_by_keyboard(page: Page, gateway: FakeGateway) -> None:
    """Tab, Enter and arrow keys start the music and turn every control."""
    await warm(page, gateway)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await becomes(page, "playing")
    await press(page, "Tab ArrowUp", "Tab ArrowRight ArrowRight", "Tab End", "Tab Home", "Tab ArrowRight")
    await press(page, "Tab ArrowDown", "Tab Home")
    wanted = {"key": "Ab minor", "bpm": 62, "intensity": 1, "mood": 0, "brightness": 0.51, "room": "hall"}
    await until(lambda: wanted.items() <= gateway.controls.items(), "the values")
    await expect(page.locator("#volume")).to_have_value("0")
    await expect(page.locator("#control-bpm")).to_have_attribute("aria-valuetext", "62 beats per minute")
    await press(page, "Tab")
    await expect(page.get_by_role("link", name="MIDI of the last five minutes")).to_be_focused()
    await press(page, "Tab Enter", "Tab ArrowLeft", "Tab Space")
    await until(lambda: gateway.controls["level_drone"] == 0, "a muted layer")
    await page.locator("#group-layers summary").press("Enter")
    await press(page, "Tab Enter")
    await expect(page.locator("#health-figures")).to_be_visible()


async def press(page: Page, *keys: str) -> None:
    """Press keys, each text a few of them."""
    for key in " ".join(keys).split():
        await page.keyboard.press(key)


async def test_every_input_has_a_name(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    await page.get_by_text("Layers").click()
    for name in ("Key", "Room"):
        await expect(page.get_by_role("combobox", name=name)).to_be_visible()
    for name in ("Tempo", "Intensity", "Mood", "Brightness", "Volume", *map(str.capitalize, LAYERS)):
        await expect(page.get_by_role("slider", name=name, exact=True)).to_be_visible()
    for layer in LAYERS:
        await expect(page.get_by_role("button", name=f"Mute {layer}", exact=True)).to_be_visible()
    assert await page.locator("input:visible").count() == 5 + len(LAYERS)


async def test_layers_are_folded_at_first(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    await expect(page.get_by_role("slider", name="Drone")).to_be_hidden()


async def test_the_level_of_a_layer_says_when_it_is_heard(page: Page, gateway: FakeGateway) -> None:
    await playing(page, gateway)
    await page.get_by_text("Layers").click()
    slider = page.get_by_role("slider", name="Bells")
    await expect(slider).to_have_value("1")
    await expect(slider).to_have_attribute("aria-valuetext", "1.00")
    await slider.fill("0.35")
    news = page.locator(".strip", has=page.locator("#control-level_bells")).locator(".heard")
    await expect(news).to_have_text(re.compile(r"heard after [01]\.\d\d s"))
    assert [message["set"] for message in gateway.heard("control")] == [{"level_bells": 0.35}]
    await expect(page.locator("#news")).to_contain_text("Bells 0.35 heard after")


async def test_mute_silences_a_layer_and_brings_its_level_back(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    await page.get_by_text("Layers").click()
    slider, mute = page.get_by_role("slider", name="Choir"), page.get_by_role("button", name="Mute choir")
    await slider.fill("0.4")
    await expect(mute).to_have_attribute("aria-pressed", "false")
    await mute.click()
    await until(lambda: gateway.controls["level_choir"] == 0, "silence")
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await expect(slider).to_have_value("0")
    await expect(page.locator("#group-layers summary")).to_have_text("Layers1 muted")
    await asyncio.sleep(0.8)  # what the server says meanwhile does not let it forget
    await mute.click()
    await until(lambda: gateway.controls["level_choir"] == 0.4, "the level before")
    await expect(mute).to_have_attribute("aria-pressed", "false")


async def test_a_layer_that_another_listener_mutes_shows_it(page: Page, gateway: FakeGateway) -> None:
    """Whoever brings it back gets the level that it had for everybody."""
    await warm(page, gateway)
    await page.get_by_text("Layers").click()
    mute = page.get_by_role("button", name="Mute pad")
    for level, pressed in ((0.7, "false"), (0.0, "true")):
        gateway.controls = gateway.controls | {"level_pad": level}
        await gateway.broadcast(gateway.state())
        await expect(page.get_by_role("slider", name="Pad")).to_have_value(f"{level:g}")
        await expect(mute).to_have_attribute("aria-pressed", pressed)
    await mute.click()
    await until(lambda: gateway.controls["level_pad"] == 0.7, "its level")


async def test_a_room_is_chosen_from_those_the_server_offers(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    room = page.get_by_role("combobox", name="Room")
    assert await room.locator("option").all_inner_texts() == [name.capitalize() for name in ROOMS]
    await room.select_option("plate")
    await until(lambda: gateway.controls["room"] == "plate", "the room")


async def test_the_last_minutes_can_be_downloaded_as_midi(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    link = page.get_by_role("link", name="MIDI of the last five minutes")
    await expect(link).to_have_attribute("href", f"{gateway.url}api/v1/channels/main/score.mid?minutes=5")
    await expect(link).to_have_attribute("download", "")


async def test_a_change_says_when_it_is_heard(page: Page, gateway: FakeGateway) -> None:
    """It counts down, then tells the measured time, to screen readers too."""
    await playing(page, gateway)
    await page.locator("#control-intensity").fill("0.8")
    news = page.locator(".field", has=page.locator("#control-intensity")).locator(".heard")
    await expect(news).to_have_text(re.compile(r"heard in 0\.\d s"))
    await expect(news).to_have_text(re.compile(r"heard after [01]\.\d\d s"))
    waited_s = float((await news.inner_text()).split()[2])
    assert 0.5 <= waited_s <= 1.2
    await expect(page.locator("#news")).to_have_text(f"Intensity 0.80 heard after {waited_s:.2f} s.")
    assert gateway.controls["intensity"] == 0.8


async def test_a_drag_sends_few_messages_and_its_end(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    slider = page.locator("#control-intensity")
    box = await slider.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    began_s = time.monotonic()
    await page.mouse.down()
    for step in range(50):
        await page.mouse.move(box["x"] + box["width"] * (0.5 + step / 100), box["y"] + box["height"] / 2)
        await asyncio.sleep(0.01)
    await page.mouse.up()
    value = float(await slider.input_value())
    await until(lambda: gateway.controls["intensity"] == value, "the last value")
    assert value > 0.9
    paced = (time.monotonic() - began_s) / 0.1  # one in 100 ms, however slowly the machine drags
    assert len(gateway.heard("control")) <= paced + 2


async def test_others_move_the_inputs_but_not_under_a_hand(page: Page, gateway: FakeGateway) -> None:
    await warm(page, gateway)
    gateway.controls = gateway.controls | {"key": "Eb major", "bpm": 90.0, "intensity": 0.2}
    await gateway.broadcast(gateway.state())
    await expect(page.locator("#control-key")).to_have_value("Eb major")
    await expect(page.locator("#control-bpm")).to_have_value("90")
    slider = page.locator("#control-intensity")
    await slider.hover()
    await page.mouse.down()
    held = await slider.input_value()
    await until(lambda: gateway.heard("control"), "the change")
    gateway.controls = gateway.controls | {"intensity": 0.1}
    await gateway.broadcast(gateway.state())
    await asyncio.sleep(0.8)
    assert await slider.input_value() == held
    await page.mouse.up()
    await expect(slider).to_have_value("0.1")


async def test_a_locked_server_asks_for_its_token(page: Page, locked_gateway: FakeGateway) -> None:
    """A declined change goes back, and is made once the right token is given; a wrong one is told."""
    await warm(page, locked_gateway)
    field = page.get_by_label("Turning the music needs")
    await expect(field).to_be_visible()
    await page.locator("#control-bpm").fill("80")
    await expect(page.locator("#notice")).to_have_text("A token is required: send it first")
    await expect(page.locator("#control-bpm")).to_have_value("60")
    await field.fill("wrong")
    await field.press("Enter")
    await expect(page.locator("#notice")).to_have_text("This token was not accepted.")
    await field.fill(SESAME)
    await field.press("Enter")
    await expect(field).to_be_hidden()
    await until(lambda: locked_gateway.controls["bpm"] == 80, "the withheld change")
    await page.reload()
    await until(lambda: locked_gateway.heard("auth")[-1]["token"] == SESAME, "the remembered token")


async def test_a_link_may_carry_the_token(page: Page, locked_gateway: FakeGateway) -> None:
    """It is used, and gone from the address."""
    await warm(page, locked_gateway, "#token=open%20sesame")
    await until(lambda: locked_gateway.heard("auth"), "the token")
    await expect(page.locator("#access")).to_be_hidden()
    await page.locator("#control-bpm").fill("80")
    await until(lambda: locked_gateway.controls["bpm"] == 80, "the change")
    assert "token" not in page.url


async def test_it_names_the_chord_and_section_that_are_heard(page: Page, gateway: FakeGateway) -> None:
    await playing(page, gateway)
    await expect(page.locator("#section")).to_have_text("Slow dawn")
    await expect(page.locator("#chord")).to_have_text(re.compile(r"^(Am7|Fmaj7|Cadd9|Em7)$"))


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (1280, 800)])
async def test_nothing_is_cut_off(page: Page, gateway: FakeGateway, width: int, height: int) -> None:
    """At phone and desktop width the page never scrolls sideways, with figures and layers open too."""
    await page.set_viewport_size({"width": width, "height": height})
    await warm(page, gateway)
    await page.locator("#health summary").click()
    await page.get_by_text("Layers").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
