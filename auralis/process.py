"""What every service process does around its work: name, signals, exit codes."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Coroutine
from typing import Any

import structlog

from auralis.errors import AuralisError

_log = structlog.get_logger()


def worker_name() -> str:
    """A name that no other process has: host, process id and chance."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def run_until_signalled(work: Coroutine[Any, Any, None]) -> int:
    """Run ``work`` until it ends or SIGINT or SIGTERM cancels it; gives the exit code."""
    code = 0
    try:
        asyncio.run(_cancelled_by_signals(work))
    except* AuralisError as errors:
        first = _first(errors)
        _log.error(str(first))
        code = first.exit_code
    return code


async def _cancelled_by_signals(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def _first(errors: BaseExceptionGroup[AuralisError]) -> AuralisError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
