"""Errors as RFC 9457 problem documents, the same for every route."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from redis.exceptions import RedisError

from auralis.errors import AuralisError, BrokerUnavailable, ChannelExists, ChannelNotFound, InvalidValue

_log = structlog.get_logger()
CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
_LARGEST_NUMBER: Final = 2**53
_LONGEST_VALUE: Final = 200
_KEPT_HEADERS: Final = ("Allow",)


class Problem(AuralisError):
    """An answer that says what was wrong; ``members`` extend the document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.members = dict(members or {})
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The problem document's members."""
        own = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        return own | self.members


def problem_of(error: BaseException) -> Problem | None:
    """The problem for an expected error; None for an unexpected one."""
    problem = None
    match error:
        case Problem():
            problem = error
        case InvalidValue():
            members = {"field": error.field, "value": _as_json(error.value), "allowed": error.allowed}
            detail = f"{error.field}: found {_shortened(_json(error.value))}, allowed: {error.allowed}"
            problem = Problem(400, detail, title="Value not allowed", members=members)
        case ChannelNotFound():
            problem = Problem(404, str(error), title="No such channel", members={"channel": error.channel})
        case ChannelExists():
            problem = Problem(409, str(error), title="Channel exists", members={"channel": error.channel})
        case BrokerUnavailable():
            problem = unavailable(str(error))
        case RedisError() | OSError() | TimeoutError():
            # Its own text may name the broker's address, which is nobody's business; the log has it.
            problem = unavailable("the broker does not answer")
        case web.HTTPException() if error.status >= HTTPStatus.BAD_REQUEST:
            kept = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
            problem = Problem(error.status, _detail(error), headers=kept)
    return problem


def _detail(error: web.HTTPException) -> str:
    """The error's own text; aiohttp's default texts only repeat the status, so then the reason."""
    text = error.text or ""
    return error.reason if text.startswith(str(error.status)) else text


def unavailable(detail: str) -> Problem:
    """The broker is away: try again soon."""
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def too_many(wait_s: float, what: str = "control changes") -> Problem:
    """Too many of ``what`` in too short a time."""
    seconds = max(1, math.ceil(wait_s))
    return Problem(429, f"too many {what}; again in {seconds} s", headers={"Retry-After": str(seconds)})


def response(problem: Problem) -> web.Response:
    """The problem as an HTTP answer."""
    body = json.dumps(problem.document(), allow_nan=False).encode()
    return web.Response(status=problem.status, body=body, content_type=CONTENT_TYPE, headers=problem.headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers every error of a route with a problem document."""
    try:
        return await handler(request)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            if isinstance(error, web.HTTPException):
                raise  # a redirect or a 304 is not an error
            _log.exception("unexpected error", method=request.method, path=request.path)
            problem = Problem(500, "unexpected error; the log says more")
        return response(problem)


def _as_json(value: Any) -> Any:
    """``value`` for use in a document: truncated, and a number only if all JSON readers can hold it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST_NUMBER else _shortened(str(value))
    return _shortened(value if isinstance(value, str) else _json(value))


def _json(value: Any) -> str:
    """``value`` as its sender wrote it, JSON's ``null`` and not Python's ``None``."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
