"""What every service process does around its work: name, signals, exit codes."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from auralis.errors import AuralisError

# Set for processes whose standard input is a pipe from their supervisor.
SUPERVISED: Final = "AURALIS_SUPERVISED"
# Set as well for a standby: it gets ready and does no work of its own until it is promoted.
STANDBY: Final = "AURALIS_STANDBY"

_promoted: Final = asyncio.Event()


def worker_name() -> str:
    """A name that no other process has: host, process id and chance."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}"


def run_until_signalled(
    work: Coroutine[Any, Any, None], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> int:
    """Run ``work`` until it ends or SIGINT or SIGTERM cancels it; gives the exit code.

    An :class:`AuralisError` is one line on stderr, without a traceback.
    """
    code = 0
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_until_signalled(work))
    except* AuralisError as errors:
        first = _first(errors)
        report(first)
        code = first.exit_code
    return code


def report(error: AuralisError) -> None:
    """The one line on stderr that an error ends a process with."""
    print(f"auralis: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201


async def promoted() -> None:
    """In a standby wait until the supervisor promotes it."""
    await _promoted.wait()


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    if SUPERVISED in os.environ:
        loop.add_reader(sys.stdin.fileno(), _hear_supervisor, loop, task)
    try:
        await task
    except asyncio.CancelledError:
        return


def _hear_supervisor(loop: asyncio.AbstractEventLoop, task: "asyncio.Future[None]") -> None:
    """It writes to promote a standby; its pipe ends when it has gone, even by SIGKILL."""
    if os.read(sys.stdin.fileno(), 1):
        _promoted.set()
    else:
        loop.remove_reader(sys.stdin.fileno())
        task.cancel()


def _first(errors: BaseExceptionGroup[AuralisError]) -> AuralisError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
