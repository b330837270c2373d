"""Logging: one line per event, readable on a terminal, JSON elsewhere; what libraries log as well."""

import logging
import sys

import structlog
from structlog.typing import Processor

from auralis.settings import Settings


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
    root.handlers = [_library_handler(shared, rendering)]
    root.setLevel(max(level, logging.WARNING))  # of libraries only warnings and errors


def _library_handler(shared: list[Processor], rendering: list[Processor]) -> logging.Handler:
    """A handler that writes records of the standard library's logging in the form of all other lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    return handler
