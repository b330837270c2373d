"""Which clients may control, how fast, and what they are told."""

from typing import Any

import aiohttp
import pytest

from services.gateway import limits
from services.gateway.app import Gateway
from tests.integration.gateway.conftest import Join, Start
from tests.integration.gateway.producing import Producer

PATH = "/api/v1/channels/main/controls"
TOKEN = {"Authorization": "Bearer s3cret"}


async def turn(http: aiohttp.ClientSession, gateway: Gateway, **headers: str) -> int:
    """Change the tempo; returns the status."""
    async with http.patch(gateway.url + PATH, json={"bpm": 66}, headers=headers) as answer:
        return answer.status


async def test_a_control_is_acknowledged(playing: Gateway, join: Join, producer: Producer) -> None:
    """The sender gets the chunk, everybody the new state."""
    client, other = await join(playing), await join(playing)
    await other.told("hello")
    await client.say(type="control", id="a", set={"intensity": 0.75})
    ack = await client.told("control_ack")
    assert (ack["id"], ack["revision"]) == ("a", 1)
    assert ack["effective_seq"] > client.texts[0]["live_seq"]
    state = await other.told("state", revision=1)
    assert state["controls"]["intensity"] == 0.75


async def test_a_wrong_control_is_explained(gateway: Gateway, join: Join) -> None:
    """The error has the id, the field, the value and what is allowed."""
    client = await join(gateway)
    await client.say(type="control", id=7, set={"bpm": 1000})
    error = await client.told("error")
    assert (error["id"], error["status"], error["field"], error["value"]) == (7, 400, "bpm", 1000)
    assert error["allowed"] == "a number from 40 to 120"


async def test_opus_is_refused_by_message(gateway: Gateway, join: Join) -> None:
    client = await join(gateway)
    await client.say(type="codec", codec="opus")
    error = await client.told("error")
    assert (error["field"], error["allowed"]) == ("codec", "one of pcm")


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE"])
async def test_every_change_needs_the_token(
    start: Start, producer: Producer, http: aiohttp.ClientSession, method: str
) -> None:
    """401 without it and with a wrong one; reading stays open."""
    gateway = await start(control_token="s3cret")  # noqa: S106  what is tested
    paths = {
        "PATCH": PATH,
        "POST": "/api/v1/channels",
        "PUT": "/api/v1/presets/x",
        "DELETE": "/api/v1/channels/x",
    }
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with http.request(
            method, gateway.url + paths[method], json={"bpm": 66}, headers=headers
        ) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    async with http.get(f"{gateway.url}/api/v1/channels") as answer:
        assert answer.status == 200


async def test_the_token_opens(start: Start, producer: Producer, http: aiohttp.ClientSession) -> None:
    gateway = await start(control_token="s3cret")  # noqa: S106
    assert await turn(http, gateway, **TOKEN) == 202


async def test_a_websocket_is_unlocked_by_a_message(start: Start, producer: Producer, join: Join) -> None:
    """Browsers can't set headers; listening needs no token."""
    gateway = await start(control_token="s3cret")  # noqa: S106
    client = await join(gateway)
    assert (await client.told("hello"))["control_open"] is False
    await client.say(type="control", id="a", set={"bpm": 66})
    assert (await client.told("error"))["status"] == 401
    await client.say(type="auth", token="wrong")  # noqa: S106
    assert (await client.told("auth"))["ok"] is False
    await client.say(type="auth", token="s3cret")  # noqa: S106
    await client.told("auth", ok=True)
    await client.say(type="control", id="b", set={"bpm": 66})
    assert (await client.told("control_ack"))["id"] == "b"


async def test_the_last_of_many_changes_wins(gateway: Gateway, producer: Producer, join: Join) -> None:
    """Changes sent back to back on one connection are accepted and answered in order."""
    client = await join(gateway)
    for number in range(40):
        await client.say(type="control", id=number, set={"bpm": 50 + number})
    await client.told("control_ack", id=39)
    acks = [text for text in client.texts if text["type"] == "control_ack"]
    assert [(ack["id"], ack["revision"]) for ack in acks] == [(number, number + 1) for number in range(40)]
    assert (await producer.channels.state("main")).controls.bpm == 89


async def test_pages_of_other_sites_may_listen_but_not_control(
    playing: Gateway, http: aiohttp.ClientSession, join: Join
) -> None:
    assert await turn(http, playing, Origin="http://evil.example") == 403
    client = await join(playing, origin="http://evil.example")
    assert (await client.told("hello"))["control_open"] is False
    await client.say(type="control", id="a", set={"bpm": 66})
    error = await client.told("error")
    assert (error["id"], error["status"]) == ("a", 403)
    await client.hear(3)


async def test_the_gateways_own_page_may_control(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    assert await turn(http, gateway, Origin=gateway.url) == 202


async def test_a_rebound_name_may_not_control(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    """A foreign name that resolves to this machine."""
    assert await turn(http, gateway, Host="evil.example", Origin="http://evil.example") == 403


async def test_allowed_sites_may_control_from_their_pages(
    start: Start, producer: Producer, http: aiohttp.ClientSession
) -> None:
    """The browser's preflight request is answered; other sites get no such answer."""
    site, other = "https://radio.example", "https://evil.example"
    gateway = await start(allowed_origins=site)
    assert await turn(http, gateway, Origin=site) == 202
    asked: dict[str, Any] = {"Access-Control-Request-Method": "PATCH"}
    async with http.options(gateway.url + PATH, headers={"Origin": site, **asked}) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == site
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    async with http.options(gateway.url + PATH, headers={"Origin": other, **asked}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_too_many_changes(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    """After a burst of a hundred: 429, and when to try again."""
    statuses = []
    for _ in range(int(limits.CONTROLS_BURST) + 50):
        async with http.patch(gateway.url + PATH, json={"bpm": 5}) as answer:
            statuses.append(answer.status)
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) >= 1
    assert statuses[:100] == [400] * 100
    assert 429 in statuses


async def test_too_many_changes_over_a_websocket(playing: Gateway, join: Join) -> None:
    """The same limit; the connection stays open."""
    client = await join(playing)
    for number in range(150):
        await client.say(type="control", id=number, set={"bpm": 5})
    error = await client.told("error", status=429)
    assert error["id"] >= 100
    await client.hear(len(client.chunks) + 2)
