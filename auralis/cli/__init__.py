"""The command line: ``auralis <command>``."""

import os
import signal
import sys
from types import FrameType

# Nothing else is imported here: Ctrl-C is a traceback until the handler below is set.

INTERRUPTED = 130  # the shells' exit code: 128 plus the signal's number


def main(*command: str) -> None:
    """Run ``command`` with the arguments of this process, and exit.

    An error is one line on stderr, with exit code 2 for a usage error, else 1. Until a command has something
    to clean up and handles Ctrl-C itself, that is one line and :data:`INTERRUPTED`.
    """
    signal.signal(signal.SIGINT, _end_at_once)
    from auralis.cli.app import run  # noqa: PLC0415  it takes long to load, and Ctrl-C may come meanwhile

    code = run([*command, *sys.argv[1:]])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # too late to change anything
    sys.exit(code)


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End without an exception: raised amid an import, it may be swallowed, or become another one."""
    lost = ": nothing was written" if sys.argv[1:2] == ["render"] else ""
    try:
        os.write(2, f"auralis: interrupted{lost}\n".encode())
    finally:
        os._exit(INTERRUPTED)


__all__ = ["INTERRUPTED", "main"]
