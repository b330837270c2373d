"""The player's files over HTTP."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.player import Player


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    (root / "net").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>")
    (root / "net" / "wire.js").write_text("export {}")
    (root / "app.webmanifest").write_text("{}")
    (root / "style.css").write_text("body {}")
    (root / "icon.svg").write_text("<svg/>")
    (root / "notes").write_text("no suffix")
    (tmp_path / "secret.txt").write_text("outside")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    return root


@pytest.fixture
async def client(site: Path):  # type: ignore[no-untyped-def]
    app = web.Application()
    player = Player(site)
    app.add_routes([web.get("/", player.serve), web.get("/{path:.+}", player.serve)])
    async with TestClient(TestServer(app)) as connected:
        yield connected


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/net/wire.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/app.webmanifest", "application/manifest+json"),
    ],
)
async def test_each_kind_of_file_has_its_type(client: TestClient, path: str, content_type: str) -> None:
    """Whatever the machine's own list of types says."""
    async with client.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, content_type)


async def test_an_unchanged_file_is_not_sent_again(client: TestClient, site: Path) -> None:
    """A changed file is noticed at once."""
    async with client.get("/style.css") as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "no-cache"
    async with client.get("/style.css", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    (site / "style.css").write_text("body { color: red }")
    async with client.get("/style.css", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200


async def test_pages_may_load_nothing_foreign(client: TestClient) -> None:
    async with client.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/net", "/notes", "/x.js", "/%00.js"]
)
async def test_nothing_else_can_be_read(client: TestClient, path: str) -> None:
    """Neither files outside, nor folders, nor files of other kinds."""
    async with client.get(path) as answer:
        assert answer.status == 404
