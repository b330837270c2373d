"""The player's modules, checked in a real browser: each function of a ``*.facts.js`` is a test."""

import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

HERE: Final = Path(__file__).parent
WEB: Final = HERE.parents[2] / "web"
ORIGIN: Final = "http://player.test"
_FACT: Final = re.compile(r"^export (?:async )?function (\w+)", re.MULTILINE)
_FACTS: Final = [
    (path.name, name) for path in sorted(HERE.glob("*.facts.js")) for name in _FACT.findall(path.read_text())
]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(browser: Browser) -> AsyncIterator[Page]:
    """A page whose origin serves the player's modules and, under ``/facts/``, this folder."""
    context = await browser.new_context()
    await context.route(f"{ORIGIN}/**", _serve)
    page = await context.new_page()
    await page.goto(f"{ORIGIN}/facts/blank.html")
    yield page
    await context.close()


async def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN + "/")
    if path == "facts/blank.html":
        await route.fulfill(content_type="text/html", body="<!doctype html>")
        return
    file = HERE / path.removeprefix("facts/") if path.startswith("facts/") else WEB / path
    await route.fulfill(path=file, content_type=mimetypes.guess_type(file)[0])


@pytest.mark.parametrize(("module", "fact"), _FACTS, ids=[f"{module}-{fact}" for module, fact in _FACTS])
async def test_fact_holds(bench: Page, module: str, fact: str) -> None:
    """The fact's function, run in the page, throws nothing."""
    run = "async ([module, fact]) => { await (await import(`/facts/${module}`))[fact](); }"
    await bench.evaluate(run, [module, fact])
