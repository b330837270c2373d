"""Logging: one line an event, JSON where no person looks."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from auralis.logs import configure
from auralis.settings import load

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging that was never configured, and afterwards is as it was before."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = before, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_elsewhere_than_on_a_terminal_every_line_is_json(capsys: Captured) -> None:
    configure(load(), "synth")
    structlog.get_logger().warning("late", channel="main", chunks=3)
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told.pop("timestamp")
    assert told == {"event": "late", "level": "warning", "service": "synth", "channel": "main", "chunks": 3}


def test_a_person_may_ask_for_lines_to_read(capsys: Captured) -> None:
    configure(load(log_format="console"), "synth")
    structlog.get_logger().info("late", channel="main")
    assert re.search(r"info .*late .*channel=main", capsys.readouterr().err)


def test_what_is_less_severe_than_asked_for_is_not_told(capsys: Captured) -> None:
    configure(load(log_level="warning"), "synth")
    structlog.get_logger().info("working")
    assert capsys.readouterr().err == ""


def test_an_exception_is_one_line_of_json_with_its_trace(capsys: Captured) -> None:
    configure(load(log_format="json"), "synth")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_libraries_are_heard_from_warnings_on(capsys: Captured) -> None:
    logging.getLogger().handlers = []
    configure(load(log_level="debug"), "synth")
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble")
    assert capsys.readouterr().err == "library: trouble\n"
