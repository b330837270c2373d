"""What a request says about its sender, read from aiohttp's request."""

from typing import Final

from aiohttp import hdrs, web

from services.gateway.access import Visitor

_PROXY_HEADERS: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def visitor_of(request: web.Request) -> Visitor:
    """The sender of ``request``."""
    headers = request.headers
    return Visitor(
        peer=request.remote or "",
        host=headers.get(hdrs.HOST, ""),
        origin=headers.get(hdrs.ORIGIN),
        authorization=headers.get(hdrs.AUTHORIZATION),
        forwarded=any(name in headers for name in _PROXY_HEADERS),
    )
