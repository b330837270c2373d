"""Listening to the player in a page: reading its status, and waiting for it to change."""

import asyncio
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.fake_gateway import FakeGateway


async def stats(page: Page) -> dict[str, Any]:
    figures: dict[str, Any] = await page.evaluate("auralis.stats()")
    return figures


async def rms(page: Page) -> float:
    return float(await page.evaluate("auralis.rms()"))


async def until(found: Callable[[], Any], what: str, timeout_s: float = 8.0) -> None:
    """Wait until ``found()`` (which may be a coroutine) is true."""
    async with asyncio.timeout(timeout_s):
        while True:
            value = found()
            if await value if asyncio.iscoroutine(value) else value:
                return
            await asyncio.sleep(0.02)
    raise AssertionError(what)


async def becomes(page: Page, state: str, timeout_s: float = 8.0) -> None:
    async def reached() -> bool:
        return bool(await page.evaluate("auralis.state") == state)

    await until(reached, state, timeout_s)


async def warm(page: Page, gateway: FakeGateway, query: str = "") -> None:
    """Open the page and wait until it is connected and shows its controls."""
    await page.goto(gateway.url + query)
    await expect(page.locator("#control-key")).to_be_visible()
    await until(lambda: gateway.listeners, "a connection")


async def playing(page: Page, gateway: FakeGateway, query: str = "") -> None:
    """Open the page, press the button, and wait for sound."""
    await warm(page, gateway, query)
    await page.get_by_role("button", name="Play").click()
    await becomes(page, "playing")
