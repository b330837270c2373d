"""The stage on which tests run their workers."""

import pytest
from redis.asyncio import Redis

from auralis.keyspace import Keyspace
from tests.integration.synth.stage import Stage


@pytest.fixture
async def stage(client: Redis, keys: Keyspace, redis_url: str) -> Stage:
    """A channel that has just been composed."""
    made = Stage(client, keys, redis_url)
    await made.compose()
    return made
