"""The HTTP contract, route by route."""

import asyncio
import gzip
from typing import Any

import aiohttp
import pytest
from msgspec.structs import asdict
from yarl import URL

from auralis import __version__
from auralis.audio import due_us, live_seq
from auralis.controls import LAYERS, SPECS, Controls
from services.gateway.app import Gateway
from tests.integration.gateway.conftest import Join, Start
from tests.integration.gateway.producing import Producer

PROBLEM = "application/problem+json"


async def ask(
    http: aiohttp.ClientSession, gateway: Gateway, method: str, path: str, **more: Any
) -> tuple[int, Any]:
    """Status and JSON of the response."""
    async with http.request(method, gateway.url + path, **more) as answer:
        if answer.status >= 400:
            assert answer.content_type == PROBLEM
        body = None if answer.status == 204 else await answer.json(content_type=None)
        return answer.status, body


async def test_health_and_version(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    assert await ask(http, gateway, "GET", "/healthz") == (200, {"status": "ok"})
    assert await ask(http, gateway, "GET", "/version") == (200, {"name": "auralis", "version": __version__})


async def test_ready_when_chunks_are_fresh(playing: Gateway, http: aiohttp.ClientSession) -> None:
    assert (await ask(http, playing, "GET", "/readyz"))[0] == 200


async def test_not_ready_without_chunks(start: Start, http: aiohttp.ClientSession) -> None:
    """The broker is there, but nothing is being rendered."""
    status, problem = await ask(http, await start(), "GET", "/readyz")
    assert (status, problem["status"]) == (503, 503)


async def test_main_exists_from_the_start(start: Start, http: aiohttp.ClientSession) -> None:
    """The gateway creates it, with the gateway's sample rate."""
    gateway = await start(sample_rate=48_000)
    async with asyncio.timeout(5):
        while (await ask(http, gateway, "GET", "/readyz"))[1]["detail"] == "the broker does not answer":
            pass
    status, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert (status, channel["always_on"]) == (200, True)
    assert channel["format"] == {
        "sample_rate": 48_000,
        "channels": 2,
        "frames_per_chunk": 4800,
        "chunk_ms": 100,
        "codecs": ["pcm"],
    }


async def test_a_channel_as_it_is(
    gateway: Gateway, http: aiohttp.ClientSession, join: Join, producer: Producer
) -> None:
    await (await join(gateway)).told("hello")
    status, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert status == 200
    assert channel["id"] == "main"
    assert channel["controls"] == asdict(Controls())
    assert (channel["revision"], channel["listeners"]) == (0, 1)
    assert abs(channel["live_seq"] - live_seq(producer.epoch_us, producer.clock.now_us())) <= 2
    assert channel["epoch_us"] == producer.epoch_us


async def test_the_controls_are_described(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    status, found = await ask(http, gateway, "GET", "/api/v1/controls")
    by_name = {spec["name"]: spec for spec in found["controls"]}
    assert status == 200
    assert (by_name["bpm"]["minimum"], by_name["bpm"]["maximum"], by_name["bpm"]["type"]) == (
        40,
        120,
        "number",
    )
    assert "A minor" in by_name["key"]["choices"]


async def test_channels_come_and_go(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    wanted = {"id": "attic", "seed": 7, "key": "D minor", "bpm": 72}
    async with http.post(f"{gateway.url}/api/v1/channels", json=wanted) as answer:
        created = await answer.json()
        assert (answer.status, answer.headers["Location"]) == (201, "/api/v1/channels/attic")
    assert created["controls"] == asdict(Controls(key="D minor", bpm=72.0))
    assert not created["always_on"]
    _, listed = await ask(http, gateway, "GET", "/api/v1/channels")
    assert [channel["id"] for channel in listed["channels"]] == ["main", "attic"]
    assert (await ask(http, gateway, "POST", "/api/v1/channels", json={"id": "attic"}))[0] == 409
    assert await ask(http, gateway, "DELETE", "/api/v1/channels/attic") == (204, None)
    assert (await ask(http, gateway, "DELETE", "/api/v1/channels/attic"))[0] == 404
    assert (await ask(http, gateway, "GET", "/api/v1/channels/attic"))[0] == 404


async def test_a_channel_may_be_made_from_nothing(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    """Id and seed are then chosen by the gateway."""
    status, created = await ask(http, gateway, "POST", "/api/v1/channels")
    assert status == 201
    assert (await ask(http, gateway, "GET", f"/api/v1/channels/{created['id']}"))[0] == 200


async def test_main_can_not_be_deleted(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    assert (await ask(http, gateway, "DELETE", "/api/v1/channels/main"))[0] == 409


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"id": "Not An Id"}, "id"),
        ({"id": 5}, "id"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
        ({"seed": None}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"bpm": 20}, "bpm"),
        ({"volume": 3}, "volume"),
    ],
)
async def test_a_channel_needs_allowed_values(
    gateway: Gateway, http: aiohttp.ClientSession, wanted: dict[str, Any], field: str
) -> None:
    status, problem = await ask(http, gateway, "POST", "/api/v1/channels", json=wanted)
    assert (status, problem["field"], problem["value"]) == (400, field, wanted[field])


async def test_a_control_change_says_when_it_is_heard(
    playing: Gateway, http: aiohttp.ClientSession, producer: Producer
) -> None:
    """The chunk still lies ahead, but not far."""
    path, change = "/api/v1/channels/main/controls", {"intensity": 0.9}
    status, accepted = await ask(http, playing, "PATCH", path, json=change)
    assert (status, accepted["revision"]) == (202, 1)
    ahead_s = (due_us(producer.epoch_us, accepted["effective_seq"]) - producer.clock.now_us()) / 1e6
    assert 0 < ahead_s < 1
    _, channel = await ask(http, playing, "GET", "/api/v1/channels/main")
    assert (channel["controls"]["intensity"], channel["revision"]) == (0.9, 1)
    async with http.get(f"{playing.url}/metrics") as answer:
        assert "auralis_control_latency_seconds_count 1.0" in await answer.text()


async def test_a_control_change_of_a_channel_that_sleeps(
    playing: Gateway, http: aiohttp.ClientSession
) -> None:
    """Nobody listens, so nothing is composed, and the response does not wait for it."""
    await ask(http, playing, "POST", "/api/v1/channels", json={"id": "quiet"})
    async with asyncio.timeout(1):
        answer = await ask(http, playing, "PATCH", "/api/v1/channels/quiet/controls", json={"bpm": 80})
    assert answer == (202, {"revision": 1, "effective_seq": None})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
async def test_a_compressed_body_is_refused_as_it_is(
    playing: Gateway, http: aiohttp.ClientSession, encoding: str
) -> None:
    """It is not decompressed: a small body may expand to gigabytes, and every client would have to wait."""
    headers = {"Content-Encoding": encoding}
    path, bomb = "/api/v1/channels/main/controls", gzip.compress(bytes(1_000_000))
    status, problem = await ask(http, playing, "PATCH", path, data=bomb, headers=headers)
    assert (status, problem["detail"]) == (415, f"Content-Encoding: found '{encoding}', allowed: none")
    async with http.get(f"{playing.url}/healthz", data=bomb, headers=headers) as answer:
        assert answer.status == 200


async def test_a_control_change_without_a_composer(
    playing: Gateway, http: aiohttp.ClientSession, producer: Producer
) -> None:
    """It is accepted, but nobody can say when it will be heard."""
    producer.composes = False
    status, accepted = await ask(
        http, playing, "PATCH", "/api/v1/channels/main/controls", json={"bpm": 80, "key": "c# Minor"}
    )
    assert (status, accepted) == (202, {"revision": 1, "effective_seq": None})


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ('{"bpm": 500}', "bpm", 500),
        ('{"bpm": 39.9}', "bpm", 39.9),
        ('{"bpm": "60"}', "bpm", "60"),
        ('{"bpm": true}', "bpm", True),
        ('{"bpm": null}', "bpm", None),
        ('{"bpm": 1e400}', "bpm", "inf"),
        ('{"bpm": 1' + "0" * 400 + "}", "bpm", "1" + "0" * 199 + "…"),
        ('{"bpm": NaN}', "body", '{"bpm": NaN}'),
        ('{"intensity": 1.01}', "intensity", 1.01),
        ('{"key": "H minor"}', "key", "H minor"),
        ('{"key": 3}', "key", 3),
        ('{"mood": 2}', "mood", 2),
        ('{"room": "garage"}', "room", "garage"),
        ('{"room": 1}', "room", 1),
        ('{"level_drone": -0.1}', "level_drone", -0.1),
        ('{"level_strings": 1}', "level_strings", 1),
        ('{"tempo": 60}', "tempo", 60),
        ('{"bpm": 60, "intensity": -1}', "intensity", -1),
        ('{"bpm": 60, "bpm": 61}', "bpm", 61),
        ("{}", "controls", "{}"),
        ("", "body", ""),
        ("[]", "body", "[]"),
        ("bpm=60", "body", "bpm=60"),
    ],
)
async def test_wrong_changes_change_nothing(
    gateway: Gateway, http: aiohttp.ClientSession, body: str, field: str, value: Any
) -> None:
    """The problem document names the field, quotes the value and says what is allowed."""
    path = "/api/v1/channels/main/controls"
    status, problem = await ask(http, gateway, "PATCH", path, data=body)
    assert (status, problem["field"], problem["value"]) == (400, field, value)
    assert problem["allowed"]
    _, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert channel["revision"] == 0


async def test_controls_of_an_unknown_channel(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    path = "/api/v1/channels/nowhere/controls"
    assert (await ask(http, gateway, "PATCH", path, json={"bpm": 60}))[0] == 404


async def test_large_bodies_are_refused(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    path = "/api/v1/channels/main/controls"
    assert (await ask(http, gateway, "PATCH", path, data="x" * 20_000))[0] == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/channels", 404),
        ("GET", "/nothing.js", 404),
        ("PUT", "/api/v1/channels", 405),
        ("GET", "/api/v1/channels/main/controls", 405),
        ("POST", "/healthz", 405),
    ],
)
async def test_wrong_addresses_and_methods(
    gateway: Gateway, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    assert (await ask(http, gateway, method, path))[0] == status


async def test_every_control_can_be_turned_and_kept_in_a_preset(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    wanted = {spec.name: spec.choices[-1] if spec.kind == "choice" else spec.maximum for spec in SPECS}
    await ask(http, gateway, "PUT", "/api/v1/presets/most", json=wanted)
    wanted |= {spec.name: spec.minimum for spec in SPECS if spec.group == "layers"}
    changed, _ = await ask(http, gateway, "PATCH", "/api/v1/channels/main/controls", json=wanted)
    _, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert (changed, channel["controls"]) == (202, wanted)
    await ask(http, gateway, "POST", "/api/v1/channels/main/presets/most")
    _, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert {channel["controls"][f"level_{layer}"] for layer in LAYERS} == {1.0}


async def test_presets(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    """Saved, listed, replaced, applied, deleted."""
    path = "/api/v1/presets/Late%20evening"
    dusk = {"name": "Late evening", "controls": {"bpm": 50.0, "intensity": 0.2}}
    assert await ask(http, gateway, "GET", "/api/v1/presets") == (200, {"presets": []})
    assert await ask(http, gateway, "PUT", path, json={"bpm": 50, "intensity": 0.2}) == (201, dusk)
    assert await ask(http, gateway, "PUT", path, json={"bpm": 50, "intensity": 0.2}) == (200, dusk)
    assert await ask(http, gateway, "GET", "/api/v1/presets") == (200, {"presets": [dusk]})
    assert await ask(http, gateway, "GET", path) == (200, dusk)
    applied = await ask(http, gateway, "POST", "/api/v1/channels/main/presets/Late%20evening")
    assert (applied[0], applied[1]["revision"]) == (202, 1)
    _, channel = await ask(http, gateway, "GET", "/api/v1/channels/main")
    assert (channel["controls"]["bpm"], channel["controls"]["intensity"]) == (50.0, 0.2)
    assert await ask(http, gateway, "DELETE", path) == (204, None)
    for method, address in (
        ("GET", path),
        ("DELETE", path),
        ("POST", "/api/v1/channels/main/presets/Late%20evening"),
    ):
        assert (await ask(http, gateway, method, address))[0] == 404


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("dusk", {"bpm": 5}, "bpm"),
        ("dusk", {}, "controls"),
        ("x" * 65, {"bpm": 60}, "name"),
        ("%0A", {"bpm": 60}, "name"),
        ("%ff", {"bpm": 60}, "name"),
    ],
)
async def test_wrong_presets(
    gateway: Gateway, http: aiohttp.ClientSession, name: str, body: dict[str, Any], field: str
) -> None:
    status, problem = await ask(http, gateway, "PUT", f"/api/v1/presets/{name}", json=body)
    assert (status, problem["field"]) == (400, field)


async def test_a_presets_name_that_is_no_text_is_nobodys(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    """A byte that is not UTF-8 is not taken for its percent-encoding, which is itself a legal name."""
    path = "/api/v1/presets/%25FF"
    assert (await ask(http, gateway, "PUT", path, json={"bpm": 60}))[1]["name"] == "%FF"
    wrong = URL(f"{gateway.url}/api/v1/presets/%FF", encoded=True)
    for method in ("GET", "DELETE"):
        async with http.request(method, wrong) as answer:
            problem = await answer.json(content_type=PROBLEM)
        assert (answer.status, problem["field"], problem["value"]) == (400, "name", "%FF")
    assert (await ask(http, gateway, "GET", path))[0] == 200


async def test_the_page_and_its_rules(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    async with http.get(gateway.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_description_is_served(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    status, document = await ask(http, gateway, "GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
