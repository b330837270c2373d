"""``python -m services.gateway``: settings, collaborators, run."""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable

from auralis import cli, logs
from auralis.broker import connect, wait_for_broker
from auralis.errors import UsageError
from auralis.process import run_until_signalled, worker_name
from auralis.settings import Settings
from services.gateway.app import Gateway


async def work(configured: Settings) -> None:
    """Run one gateway until cancelled; after the first contact the broker may go away."""
    if configured.redis_url is None:
        raise UsageError("REDIS_URL is not set: a gateway needs the broker that it reads from")
    name = worker_name()
    async with (
        connect(configured.redis_url, name=f"gateway-{name}") as client,
        connect(configured.redis_url, name=f"gateway-wake-{name}", answer_timeout_s=None) as listening,
    ):
        await wait_for_broker(client)
        await Gateway(configured, client, listening).run()


def main(configured: Settings) -> int:
    """Run until signalled; returns the exit code."""
    logs.configure(configured, "gateway")
    return run_until_signalled(work(configured), _loop_factory())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop's event loop, if installed: it serves more listeners in the same time."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


if __name__ == "__main__":
    cli.main("gateway")
