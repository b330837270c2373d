"""What every service process needs besides its work: a name, signal handling, exit codes."""

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
# Also set for a standby: it gets ready and does no work of its own until it is promoted.
STANDBY: Final = "AURALIS_STANDBY"

_promoted: Final = asyncio.Event()


def worker_name() -> str:
    """A unique name for this process: host, process id and random digits."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}"


def run_until_signalled(
    work: Coroutine[Any, Any, None], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> int:
    """Run ``work`` until it ends, or SIGINT or SIGTERM cancels it; return the exit code.

    An :class:`AuralisError` is reported as one line on stderr, without a traceback.
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
    """Print ``error`` as one line on stderr."""
    print(f"auralis: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201


async def promoted() -> None:
    """In a standby: wait until the supervisor promotes it."""
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
    """Be promoted if the supervisor writes; stop if its pipe closes because it died, even by SIGKILL."""
    if os.read(sys.stdin.fileno(), 1):
        _promoted.set()
    else:
        loop.remove_reader(sys.stdin.fileno())
        task.cancel()


def _first(errors: BaseExceptionGroup[AuralisError]) -> AuralisError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
