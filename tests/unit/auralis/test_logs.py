"""Logging: one line per event, in JSON unless a person is reading."""

import json
import logging
import re
from typing import Any

import pytest
import structlog

from auralis.logs import configure
from auralis.settings import load

Captured = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("own_logging")


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


def _fail(logger: Any) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logger.exception("failed")


@pytest.mark.parametrize("logger", [structlog.get_logger(), logging.getLogger("library")])
def test_an_exception_is_one_line_of_json_with_its_trace(capsys: Captured, logger: Any) -> None:
    configure(load(log_format="json"), "synth")
    _fail(logger)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def test_libraries_are_heard_from_warnings_on_in_the_same_form(capsys: Captured) -> None:
    configure(load(log_level="debug", log_format="json"), "synth")
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble with %s", "it")
    told = json.loads(capsys.readouterr().err)
    assert told.pop("timestamp")
    assert told == {"event": "trouble with it", "level": "warning", "service": "synth", "logger": "library"}


def test_libraries_are_lines_to_read_as_well(capsys: Captured) -> None:
    configure(load(log_format="console"), "synth")
    logging.getLogger("library").warning("trouble")
    assert re.search(r"warning .*trouble .*\[library\]", capsys.readouterr().err)
