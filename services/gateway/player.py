"""The web player's files: packaged next to this module, or the checkout's ``web/``."""

from pathlib import Path
from typing import Final

from aiohttp import web

_PLACES: Final = (Path(__file__).parent / "static", Path(__file__).parents[2] / "web")
_INDEX: Final = "index.html"
# By suffix, because the machine's own table has some of them wrong or not at all.
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "connect-src 'self' ws: wss:",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    # Revalidated each time, and answered 304 if its ETag matches: an update is seen at once.
    "Cache-Control": "no-cache",
}


class Player:
    """Serves the files below one folder, limited to the types in :data:`MEDIA_TYPES`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The file at the request's path; the page itself for ``/``."""
        wanted = self._root / (request.match_info.get("path") or _INDEX)
        content_type = MEDIA_TYPES.get(wanted.suffix)
        if content_type is None or not self._inside(wanted):
            raise web.HTTPNotFound(text=f"no such page: {request.path}")
        return web.FileResponse(wanted, headers={**_HEADERS, "Content-Type": content_type})

    def _inside(self, wanted: Path) -> bool:
        try:
            found = wanted.resolve(strict=True)
        except (OSError, ValueError):
            return False
        return found.is_file() and found.is_relative_to(self._root)


def player_root() -> Path:
    """Where the player's files are."""
    return next((place for place in _PLACES if (place / _INDEX).is_file()), _PLACES[-1])
