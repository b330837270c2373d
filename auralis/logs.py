"""Logging: one line per event, readable on a terminal, JSON elsewhere; what libraries log as well."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import Processor

from auralis.settings import Settings

_MALFORMED_REQUESTS: Final = "aiohttp.http_exceptions"


def configure(settings: Settings, service: str) -> None:
    """Send every log line of this process to stderr, marked with ``service``."""
    console = settings.log_format == "console" or (settings.log_format is None and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
    ]
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=34)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    root = logging.getLogger()
    root.handlers = [_library_handler(level, shared, rendering)]
    root.setLevel(max(level, logging.WARNING))  # of libraries only warnings and errors


def _library_handler(level: int, shared: list[Processor], rendering: list[Processor]) -> logging.Handler:
    """A handler that writes records of the standard library's logging in the form of all other lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_MalformedRequests(level))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    return handler


class _MalformedRequests(logging.Filter):
    """Makes aiohttp's error about a malformed request, a traceback, one line of level DEBUG.

    Any stranger can send such requests, as many as they like, and the operator can do nothing about them.
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        # By the module's name: only the gateway has aiohttp.
        if type(error).__module__ != _MALFORMED_REQUESTS:
            return True
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.msg, record.args = "malformed request: %s", (" ".join(str(error).split()),)
        record.exc_info = record.exc_text = None
        return self._level <= logging.DEBUG
