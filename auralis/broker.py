"""Connections to the broker (Redis 7+ or Valkey 8+) and its Lua functions.

Retries are off: by default redis-py would repeat an XADD or RPUSH whose reply was lost, applying it twice.
Lua functions check what they write, so writers are idempotent; every caller's loop reads again and retries.
"""

import asyncio
import time
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from auralis.errors import BrokerUnavailable, InvalidValue

_log = structlog.get_logger()

CONNECT_TIMEOUT_S: Final = 2.0
# Longer than any command takes, short enough that a dead broker is noticed while the ring still lasts.
ANSWER_TIMEOUT_S: Final = 1.0
# The errors that may be raised while the broker is away; a service's loop logs them, waits and carries on.
BROKER_ERRORS: Final = (RedisError, OSError, TimeoutError)

_RECONNECT_S: Final = 0.2
# How long a starting service waits for the broker before it gives up.
PATIENCE_S: Final = 5.0
_URL_SCHEMES: Final = ("redis://", "rediss://", "unix://")


class _Cancellable(AbstractConnection):
    """A mixin for redis-py's connection classes that lets the connection's task be cancelled.

    redis-py sends under ``asyncio.wait_for``, which in Python 3.11 swallows a cancellation that arrives just
    as the command has been sent; the task would carry on, and its service would never stop.
    """

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        """Send as redis-py does, then raise any cancellation that was requested meanwhile."""
        task = asyncio.current_task()
        asked_before = task.cancelling() if task else 0
        await super().send_packed_command(*args, **options)
        if task and task.cancelling() > asked_before:
            await self.disconnect(nowait=True)  # nobody will read its reply
            raise asyncio.CancelledError


def connect(url: str, *, name: str, answer_timeout_s: float | None = ANSWER_TIMEOUT_S) -> Redis:
    """A client for short commands. Nothing is sent before its first command.

    Raises:
        InvalidValue: ``url`` is not a Redis URL.
    """
    if not url.startswith(_URL_SCHEMES):
        raise InvalidValue("REDIS_URL", url, f"a URL that begins with {', '.join(_URL_SCHEMES)}")
    try:
        client = Redis.from_url(
            url,
            client_name=name,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=answer_timeout_s,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
        )
        pool = client.connection_pool
        pool.connection_class = type("Connection", (_Cancellable, pool.connection_class), {})
        # An unknown option would otherwise surface only at the first command, as a TypeError.
        pool.make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as error:
        raise InvalidValue("REDIS_URL", url, f"a Redis URL ({error})") from error
    return client


async def check(client: Redis) -> None:
    """Check that the broker answers.

    Raises:
        BrokerUnavailable: it does not answer.
    """
    try:
        await client.ping()
    except BROKER_ERRORS as error:
        raise BrokerUnavailable(f"the broker does not answer: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """An exception as one line of text, for a log or a user."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


class LuaFunction:
    """A Lua file of a package, run by the broker as one atomic change or read."""

    def __init__(self, package: str, name: str) -> None:
        self._source = resources.files(package).joinpath(name).read_text()
        self._sha: str | None = None

    async def __call__(self, client: Redis, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run it; a broker that does not know it yet (new, flushed) has run nothing and is sent it again."""
        if self._sha is not None:
            try:
                return await client.evalsha(self._sha, len(keys), *keys, *args)
            except NoScriptError:
                self._sha = None
        self._sha = await client.script_load(self._source)
        return await client.evalsha(self._sha, len(keys), *keys, *args)


async def wait_for_broker(client: Redis) -> None:
    """Return as soon as the broker answers; log one warning if it does not answer at first.

    Raises:
        BrokerUnavailable: it has not answered for :data:`PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    told = False
    while True:
        try:
            return await check(client)
        except BrokerUnavailable as error:
            if time.monotonic() > deadline:
                raise
            if not told:
                _log.warning("waiting for the broker", reason=str(error))
            told = True
        await asyncio.sleep(_RECONNECT_S)
