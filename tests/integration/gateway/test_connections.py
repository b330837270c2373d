"""Connections at the level of raw bytes: malformed, half sent, idle."""

import asyncio
import json
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from services.gateway import api, connections
from services.gateway.app import Gateway

CHANGE = b"PATCH /api/v1/channels/main/controls HTTP/1.1\r\nHost: localhost\r\n"


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


async def answer_to(url: str, request: bytes) -> Answer:
    """The reply to these bytes before the connection is closed."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)


def problem_in(answer: Answer) -> dict[str, Any]:
    """The problem document in an answer."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["server"] == "auralis"
    problem: dict[str, Any] = json.loads(answer.body)
    assert problem["status"] == answer.status
    return problem


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "Invalid method encountered"),
        (b"hello\r\n\r\n", "Invalid method encountered"),
        (b"GET / HTTP/1.1\r\n\r\n", "Missing 'Host' header in request."),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "Duplicate 'Host' header found."),
        (
            b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            "its first line or a header is over 8190 bytes",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 9000 + b"\r\n\r\n",
            "its first line or a header is over 8190 bytes",
        ),
        (
            "GET /ä HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
            "its URL is not valid (what is not ASCII must be percent-encoded)",
        ),
        (CHANGE + b"Content-Length: x\r\n\r\n", "Invalid character in Content-Length"),
        (CHANGE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Invalid character in chunk size"),
    ],
)
async def test_a_request_that_can_not_be_read_is_a_problem(
    gateway: Gateway, request_: bytes, reason: str
) -> None:
    """400 in words, revealing neither software versions nor the bytes that were sent."""
    answer = await answer_to(gateway.url, request_)
    problem = problem_in(answer)
    assert (answer.status, problem["detail"]) == (400, f"malformed request: {reason}")


@pytest.mark.parametrize("body", [b"", b'{"bpm": '])
async def test_a_body_that_does_not_come_is_a_problem(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """408, and the connection ends: bytes that arrive later are not taken for a request."""
    monkeypatch.setattr(api, "BODY_S", 0.0)
    monkeypatch.setattr(connections, "LINGER_S", 0.0)
    answer = await answer_to(gateway.url, CHANGE + b"Content-Length: 12\r\n\r\n" + body)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert problem_in(answer)["detail"] == "the body was not complete within 0 s"


async def test_what_fails_outside_of_the_gateways_handlers_is_a_problem() -> None:
    """The client learns nothing about the error; the log has it."""

    async def fail(_: web.Request) -> web.Response:
        raise ValueError("a secret")

    app = web.Application()
    app.add_routes([web.get("/", fail)])
    runner = web.AppRunner(app)
    await runner.setup()
    server = await connections.listen(runner, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await answer_to(f"127.0.0.1:{port}", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    server.close()
    await runner.cleanup()
    assert (answer.status, problem_in(answer)["detail"]) == (500, "unexpected error; the log says more")


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: "])
async def test_a_connection_that_asks_nothing_is_closed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """So nobody can hold a connection open forever, not even with half a request."""
    monkeypatch.setattr(connections, "KEEPALIVE_S", 0.05)
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(begun)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
