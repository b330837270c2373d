"""A gateway in this process on a real broker, a producer, and clients."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.channel.state import Channels
from auralis.keyspace import Keyspace
from auralis.settings import Settings
from services.gateway.app import Gateway
from tests.integration.gateway.hearing import Client, until
from tests.integration.gateway.producing import Producer

Start = Callable[..., Awaitable[Gateway]]
Join = Callable[..., Awaitable[Client]]


@contextlib.asynccontextmanager
async def running(work: Any) -> AsyncIterator[None]:
    """Run ``work`` in the background."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(url: str, keys: Keyspace, **settings: Any) -> AsyncIterator[Gateway]:
    """A gateway that listens on a free port."""
    chosen = {"port": 0, "prefix": keys.prefix, "REDIS_URL": url} | settings
    async with connect(url, name="gateway") as client, connect(url, name="wake") as listening:
        gateway = Gateway(Settings(**chosen), client, listening)
        async with running(gateway.run()):
            await asyncio.wait_for(gateway.listening.wait(), 5)
            yield gateway


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as entered:
        yield entered


@pytest.fixture
async def start(redis_url: str, keys: Keyspace, stack: contextlib.AsyncExitStack) -> Start:
    """Starts a gateway with these settings."""

    async def started(**settings: Any) -> Gateway:
        return await stack.enter_async_context(serving(redis_url, keys, **settings))

    return started


@pytest.fixture
async def producer(client: Redis, keys: Keyspace) -> AsyncIterator[Producer]:
    """Fills the ring of ``main`` and answers its controls."""
    found = Producer(client, keys, composes=True)
    await found.channels.ensure_main(sample_rate_hz=44_100, seed=1)
    async with running(found.run()):
        yield found


@pytest.fixture
async def gateway(start: Start, producer: Producer) -> Gateway:
    """A gateway with default settings."""
    return await start()


@pytest.fixture
async def playing(gateway: Gateway) -> Gateway:
    """The same, once its channel ``main`` plays."""
    await until(lambda: gateway.hub.ready)
    return gateway


@pytest.fixture
async def http(stack: contextlib.AsyncExitStack) -> aiohttp.ClientSession:
    return await stack.enter_async_context(aiohttp.ClientSession())


@pytest.fixture
async def join(http: aiohttp.ClientSession, stack: contextlib.AsyncExitStack) -> Join:
    """Joins a channel of a gateway."""

    async def joined(
        gateway: Gateway,
        channel: str = "main",
        query: str = "",
        protocol: str | None = "auralis.v1",
        **more: Any,
    ) -> Client:
        protocols = [protocol] if protocol else []
        url = f"{gateway.url}/ws/{channel}{query}"
        socket = await stack.enter_async_context(http.ws_connect(url, protocols=protocols, **more))
        return Client(socket)

    return joined


@pytest.fixture
async def attic(gateway: Gateway, join: Join, client: Redis, keys: Keyspace) -> Client:
    """A listener that has been greeted, on a channel other than ``main``."""
    await Channels(client, keys).create("attic", sample_rate_hz=44_100)
    listener = await join(gateway, "attic")
    await listener.told("hello")
    return listener
