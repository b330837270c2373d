"""The gateway that the player's tests talk to."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.e2e.fake_gateway import SESAME, FakeGateway


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway().running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def locked_gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway(token=SESAME).running() as running:
        yield running
