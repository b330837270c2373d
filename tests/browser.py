"""Fixtures for tests in a real Chromium, driven by Playwright: ``browser`` (one per session) and ``page``.

Tests that use them run on the session's event loop:
``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC_APPS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS: Final = ("--no-sandbox", "--disable-quic", "--disable-background-timer-throttling")
_MISSING: Final = (
    "no Chromium for the browser tests: install one (Debian: apt install chromium, macOS: brew install "
    "--cask chromium) or name one in AURALIS_TEST_CHROMIUM"
)
# The browser itself reports every refused or broken WebSocket as an error; the player copes with those.
_EXPECTED_ERRORS: Final = ("WebSocket connection to", "net::ERR_")


def chromium_path() -> str | None:
    """The path of the installed Chromium or Chrome, or None."""
    found = os.environ.get("AURALIS_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    return found or next((app for app in _MAC_APPS if Path(app).exists()), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A running Chromium. Without one the test is skipped, except under CI, where it fails."""
    path = chromium_path()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(_MISSING)
    async with async_playwright() as playwright:
        process = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield process
        await process.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh page in its own profile. The test fails if the page logged an error or threw one."""
    context = await browser.new_context()
    tab = await context.new_page()
    errors = errors_of(tab)
    yield tab
    await context.close()
    assert errors == []


def errors_of(tab: Page) -> list[str]:
    """A list that grows with every error that ``tab`` logs or leaves uncaught."""
    errors: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in _EXPECTED_ERRORS):
            errors.append(message.text)

    tab.on("console", logged)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    return errors
