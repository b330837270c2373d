"""A task that talks to the broker ends when it is cancelled, whatever it is doing at that moment."""

import asyncio

import pytest
from redis.asyncio import Redis


async def _ask_for_ever(client: Redis) -> None:
    while True:
        await client.ping()


@pytest.mark.parametrize("steps", range(16))
async def test_a_cancellation_at_any_step_of_a_command_ends_the_task(client: Redis, steps: int) -> None:
    task = asyncio.ensure_future(_ask_for_ever(client))
    await asyncio.sleep(0.01)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    task.cancel()  # a task that ignored the cancellation must not outlive the test
    assert done
