"""Connections: wrong URLs are reported at once, and nothing is retried behind a writer's back."""

import pytest

from auralis.broker import LuaFunction, check, connect, reason, wait_for_broker
from auralis.errors import BrokerUnavailable, InvalidValue
from auralis.supervise import free_port

WRONG_URLS = [
    "",
    "localhost:6379",
    "http://localhost:6379",
    "redis:/localhost",
    "redis://localhost:port",
    "redis://localhost:99999",
    "redis://localhost?no_such_option=1",
    "redis://localhost?socket_timeout=soon",
    "unix:///tmp/socket?no_such_option=1",
]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_what_is_no_url_of_a_broker_is_quoted_before_anything_is_sent(url: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        connect(url, name="test")
    assert caught.value.field == "REDIS_URL"
    assert repr(url) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://h", "redis://:p@h:1/3", "rediss://h", "unix:///tmp/x.sock?db=1"])
def test_urls_of_brokers_are_taken_without_connecting(url: str) -> None:
    connect(url, name="test")


async def test_no_command_is_ever_sent_twice() -> None:
    async with connect("redis://localhost", name="test") as client:
        assert client.connection_pool.make_connection().retry.get_retries() == 0


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}", "unix:///nowhere/broker.sock", "redis://a..b"])
async def test_a_broker_that_is_not_there_is_one_line(url: str) -> None:
    async with connect(url.format(port=free_port("127.0.0.1")), name="test") as client:
        with pytest.raises(BrokerUnavailable, match=r"the broker does not answer: .+") as caught:
            await check(client)
    assert "\n" not in str(caught.value)


async def test_a_wrong_password_is_one_line(redis_url: str) -> None:
    joiner = "&" if "?" in redis_url else "?"
    async with connect(f"{redis_url}{joiner}password=wrong", name="test") as client:
        with pytest.raises(BrokerUnavailable, match="does not answer"):
            await check(client)


async def test_waiting_for_a_broker_ends_with_the_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auralis.broker.PATIENCE_S", 0.0)
    async with connect("unix:///nowhere/broker.sock", name="test") as client:
        with pytest.raises(BrokerUnavailable):
            await wait_for_broker(client)


async def test_a_broker_that_answers_is_not_waited_for(redis_url: str) -> None:
    async with connect(redis_url, name="test") as client:
        await wait_for_broker(client)


@pytest.mark.parametrize(
    ("error", "text"),
    [(OSError("two\n  lines"), "two lines"), (TimeoutError(), "TimeoutError"), (ValueError("x"), "x")],
)
def test_a_reason_is_one_line_and_never_empty(error: Exception, text: str) -> None:
    assert reason(error) == text


async def test_a_lua_function_survives_a_broker_that_has_forgotten_it(redis_url: str) -> None:
    """After SCRIPT FLUSH, a restart, or a failover to another broker."""
    fetch = LuaFunction("auralis.ring", "fetch.lua")
    async with connect(redis_url, name="test") as client:
        for _ in range(2):
            assert await fetch(client, ["no:state", "no:ring", "no:meta"], [0, 0]) == []
            await client.script_flush()
