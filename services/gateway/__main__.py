"""``python -m services.gateway``: settings, collaborators, run."""

import asyncio
import importlib
import importlib.util
import signal
import sys
from collections.abc import Callable

from auralis.broker import connect
from auralis.errors import AuralisError, InvalidValue
from auralis.logs import configure
from auralis.settings import Settings, load
from services.gateway.app import Gateway


def main() -> int:
    """Run a gateway until SIGTERM or Ctrl-C; its exit code."""
    try:
        settings = load()
        configure(settings, "gateway")
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except AuralisError as error:
        sys.stderr.write(f"auralis gateway: {error}\n")
        return error.exit_code
    return 0


async def _serve(settings: Settings) -> None:
    if settings.redis_url is None:
        raise InvalidValue("REDIS_URL", None, "a Redis URL; `auralis up` starts a broker of its own")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = connect(settings.redis_url, name="auralis-gateway")
    listening = connect(settings.redis_url, name="auralis-gateway-wakeups")
    try:
        await Gateway(settings, client, listening).run(stop)
    finally:
        await client.aclose()
        await listening.aclose()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop's event loop where it is installed: it sends to more listeners in the same time."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
