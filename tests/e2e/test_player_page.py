"""What the player shows and how its controls behave, in a real browser against a gateway with a stream."""

import asyncio
import re
import time

import pytest
from playwright.async_api import Page, expect

from auralis.controls import LAYERS, ROOMS
from tests.e2e.fake_gateway import SESAME, FakeGateway
from tests.e2e.listening import becomes, playing, until, warm

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_everything_can_be_done_by_keyboard(page: Page, gateway: FakeGateway) -> None:
    """Tab, Enter and the arrow keys can start the music and change every control."""
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
    """Press keys; each argument may name several."""
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
    await asyncio.sleep(0.8)  # state messages from the server in the meantime do not make it forget
    await mute.click()
    await until(lambda: gateway.controls["level_choir"] == 0.4, "the level before")
    await expect(mute).to_have_attribute("aria-pressed", "false")


async def test_a_layer_that_another_listener_mutes_shows_it(page: Page, gateway: FakeGateway) -> None:
    """A listener who unmutes it restores the level that it had for everybody."""
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
    """It counts down, then shows the measured time, and announces it to screen readers too."""
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
    paced = (time.monotonic() - began_s) / 0.1  # one per 100 ms, however slowly the machine drags
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
    """A refused change is undone, and made once the right token is given; a wrong token is reported."""
    await warm(page, locked_gateway)
    field = page.get_by_label("Changing the music requires")
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
    """The token is used, and removed from the address."""
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
    """At phone and desktop width the page never scrolls sideways, even with figures and layers open."""
    await page.set_viewport_size({"width": width, "height": height})
    await warm(page, gateway)
    await page.locator("#health summary").click()
    await page.get_by_text("Layers").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
