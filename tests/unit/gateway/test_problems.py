"""Errors as problem documents."""

import json
import math

import pytest
from aiohttp import web
from redis.exceptions import ConnectionError as RedisConnectionError

from auralis.errors import BrokerUnavailable, ChannelExists, ChannelNotFound, InvalidValue, ProtocolError
from services.gateway.problems import Problem, problem_of, response, too_many


def document(error: BaseException) -> dict[str, object]:
    problem = problem_of(error)
    assert problem is not None
    answer = response(problem)
    assert answer.content_type == "application/problem+json"
    assert isinstance(answer.body, bytes)
    found: dict[str, object] = json.loads(answer.body)
    assert found["status"] == answer.status
    return found


def test_a_wrong_value_is_named_and_quoted() -> None:
    found = document(InvalidValue("bpm", 500, "a number from 40 to 120"))
    assert (found["status"], found["field"], found["value"]) == (400, "bpm", 500)
    assert found["allowed"] == "a number from 40 to 120"
    assert found["type"] == "about:blank"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ChannelNotFound("x"), 404),
        (ChannelExists("x"), 409),
        (BrokerUnavailable("away"), 503),
        (RedisConnectionError("refused"), 503),
        (ConnectionRefusedError("refused"), 503),
        (TimeoutError(), 503),
        (web.HTTPNotFound(), 404),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405),
        (web.HTTPRequestEntityTooLarge(10, 20), 413),
        (Problem(403, "no"), 403),
    ],
)
def test_every_expected_error_has_its_status(error: BaseException, status: int) -> None:
    found = document(error)
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]


@pytest.mark.parametrize("error", [ValueError("x"), ProtocolError("x"), web.HTTPFound("/")])
def test_others_are_no_problem_of_the_sender(error: BaseException) -> None:
    assert problem_of(error) is None


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**400, "x" * 5000, {"a": [1]}, None, True, "ä"])
def test_any_value_can_be_quoted(value: object) -> None:
    """Values are shortened, and never quoted as something that is not JSON."""
    found = document(InvalidValue("bpm", value, "a number"))
    assert len(str(found["value"])) <= 201


@pytest.mark.parametrize(
    ("value", "found", "member"),
    [
        (None, "null", None),
        (True, "true", True),
        ("x", '"x"', "x"),
        ([1, None], "[1, null]", "[1, null]"),
        ({"a": False}, '{"a": false}', '{"a": false}'),
        (2.5, "2.5", 2.5),
    ],
)
def test_a_value_is_quoted_as_its_sender_wrote_it(value: object, found: str, member: object) -> None:
    """As JSON, not as Python; a value that is null is quoted as null."""
    problem = document(InvalidValue("bpm", value, "a number"))
    assert problem["detail"] == f"bpm: found {found}, allowed: a number"
    assert problem["value"] == member


def test_where_the_broker_is_stays_unsaid() -> None:
    assert "broker.sock" not in str(document(RedisConnectionError("Timeout reading from /run/broker.sock")))


def test_a_missing_broker_says_when_to_try_again() -> None:
    problem = problem_of(BrokerUnavailable("away"))
    assert problem is not None
    assert problem.headers == {"Retry-After": "1"}


def test_too_many_says_when_to_try_again() -> None:
    assert too_many(0.05).headers == {"Retry-After": "1"}
    assert too_many(2.3).headers == {"Retry-After": "3"}


def test_a_wrong_method_says_which_are_right() -> None:
    problem = problem_of(web.HTTPMethodNotAllowed("PUT", ["GET", "POST"]))
    assert problem is not None
    assert problem.headers["Allow"] == "GET,POST"
