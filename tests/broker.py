"""Fixtures: one real broker for the whole run, and a separate key prefix for each test."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from auralis.broker import connect
from auralis.embedded import EmbeddedBroker
from auralis.keyspace import Keyspace


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The broker of ``AURALIS_TEST_REDIS_URL``, else an embedded Valkey."""
    given = os.environ.get("AURALIS_TEST_REDIS_URL")
    if given:
        yield given
        return
    with asyncio.Runner() as runner:
        broker = EmbeddedBroker(tmp_path_factory.mktemp("broker"))
        runner.run(broker.start())
        try:
            yield broker.url
        finally:
            runner.run(broker.stop())


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the real broker."""
    async with connect(redis_url, name="test") as connected:
        yield connected


@pytest.fixture
def keys() -> Keyspace:
    """A keyspace that no other test uses."""
    return Keyspace(f"test-{secrets.token_hex(4)}")
