"""Listen in a real browser while the machine is busy, and count what the listener hears of it.

Starts ``auralis up`` with data of its own and opens the player in Chromium, once for each round, while
``--busy`` processes spin. A page that has a processor to itself is asked for sixty pictures (frames) a second
and never stands still for long; the table says how far it fell short, and how often the sound ran dry::

    python -m benchmarks.page --busy 4
"""

import argparse
import asyncio
import sys
from statistics import median
from typing import Any, Final, NamedTuple

from playwright.async_api import Browser, Page, async_playwright

from auralis.keyspace import MAIN_CHANNEL
from benchmarks.kills import busy
from benchmarks.live import first_chunk, show
from tests.browser import chromium_path
from tests.e2e.system import running_system

_WATCH: Final = """
globalThis.stoodStillMs = [];
globalThis.pictures = 0;
new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => stoodStillMs.push(duration)))
  .observe({ entryTypes: ["longtask"] });
(function count() { pictures += 1; requestAnimationFrame(count); })();
"""


class Listened(NamedTuple):
    """What one page heard: its own figures, its longest task, and its pictures (frames) per second."""

    stats: dict[str, Any]
    longest_ms: float
    pictures_hz: float


async def listened(page: Page, url: str, seconds: float) -> Listened:
    """Open the player at ``url``, press the button and listen."""
    await page.add_init_script(_WATCH)
    await page.goto(url)
    await page.get_by_role("button", name="Play").click()
    before = await page.evaluate("pictures")
    await asyncio.sleep(seconds)
    stats, longest_ms, pictures = await page.evaluate(
        "[auralis.stats(), Math.max(0, ...stoodStillMs), pictures]"
    )
    return Listened(stats, longest_ms, (pictures - before) / seconds)


async def round_of(browser: Browser, url: str, seconds: float) -> Listened:
    """Run one round: a listener with a browser profile of its own."""
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    try:
        return await listened(await context.new_page(), url, seconds)
    finally:
        await context.close()


async def measure(rounds: int, seconds: float, spinning: int) -> None:
    """Run everything and print the table."""
    path = chromium_path()
    if path is None:
        sys.exit("no Chromium found: install one, or name one in AURALIS_TEST_CHROMIUM")
    async with running_system("--synth-workers", "2") as system, async_playwright() as playwright:
        await first_chunk(system.url, MAIN_CHANNEL)
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with busy(spinning, apart=True):
            found = [await round_of(browser, system.url, seconds) for _ in range(rounds)]
        await browser.close()
    show("rounds, seconds each", f"{rounds}, {seconds:g}")
    show("underruns, by round", " ".join(str(each.stats["underruns"]) for each in found))
    show("corrections, by round", " ".join(str(each.stats["corrections"]) for each in found))
    show("missing chunks", str(sum(each.stats["missing_chunks"] for each in found)))
    show("from click to sound, median", f"{median(each.stats['start_ms'] for each in found):.0f} ms")
    show("the page stood still for, by round", " ".join(f"{each.longest_ms:.0f}" for each in found) + " ms")
    show("pictures asked for a second, median", f"{median(each.pictures_hz for each in found):.0f}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--busy", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(measure(given.rounds, given.seconds, given.busy))


if __name__ == "__main__":
    main()
