"""HTTP connections: none stays open for ever, and a request that can't be read gets a problem document."""

import asyncio
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import InvalidURLError, LineTooLong

from services.gateway.problems import Problem, response

_log = structlog.get_logger()

# Of every answer; "Server" would otherwise name the versions of aiohttp and Python.
HEADERS: Final = {hdrs.SERVER: "auralis", "X-Content-Type-Options": "nosniff"}
# For the headers of a request, and between two requests; longer than the 60 s of the usual proxies, which
# would otherwise send a request into a connection that is just being closed.
KEEPALIVE_S: Final = 75.0
# After an answer, what is left of the body is read this long: closing at once could lose the answer.
LINGER_S: Final = 2.0


class Connection(web.RequestHandler):
    """One connection; its errors are problem documents, too."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to a request that can't be read (400), or that failed outside of its handler."""
        if status == web.HTTPBadRequest.status_code:
            reason = _reason(exc, message)
            _log.debug("malformed request", peer=request.remote, reason=reason)
            problem = Problem(status, f"malformed request: {reason}")
        else:
            super().handle_error(request, status, exc, message)  # logs it in full
            problem = Problem(status, "unexpected error; the log says more")
        answer = response(problem)
        answer.headers.update(HEADERS)
        answer.force_close()
        return answer


async def listen(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    """Accept connections for the application of ``runner``, which must be set up.

    Raises:
        OSError: it can't listen there.
    """
    loop, server = asyncio.get_running_loop(), runner.server
    assert server is not None  # noqa: S101  the runner is set up

    def connection() -> Connection:
        return Connection(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # None means none; aiohttp's annotation forgets it
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            # A few kilobytes may decompress to gigabytes, and would do so in the event loop.
            auto_decompress=False,
        )

    return await loop.create_server(connection, host, port)


def _reason(error: BaseException | None, message: str | None) -> str:
    """What is wrong with a request, without the bytes that aiohttp quotes."""
    match error:
        case LineTooLong():
            return f"its first line or a header is over {error.args[1]} bytes"
        case InvalidURLError():
            return "its URL is not valid (what is not ASCII must be percent-encoded)"
        case _:
            return (message or "").partition("\n")[0].rstrip(" :")
