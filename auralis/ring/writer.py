"""The ring's writing end."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from auralis.broker import LuaFunction
from auralis.keyspace import Keyspace
from auralis.ring.versions import Versions
from auralis.score.entry_id import EntryId
from auralis.timing import GUARD_US, RING_AHEAD_CHUNKS, RING_CHUNKS

_push: Final = LuaFunction("auralis.ring", "push.lua")


class Outcome(StrEnum):
    """The result of a push."""

    OK = "ok"
    FROZEN = "frozen"  # too late: the first chunk can't change any more
    STALE = "stale"  # the ring holds the same version already, or a newer one
    GAP = "gap"  # not the next chunk
    CHAIN = "chain"  # a neighbour in the ring has another version than the one the run was rendered with
    AHEAD = "ahead"  # further ahead than the ring reaches
    EPOCH = "epoch"  # the channel was deleted, or created again


class PushReply(NamedTuple):
    """``seq``: the first unfrozen chunk (``ok``, ``frozen``, ``ahead``) or the expected one (``gap``).

    ``version``: the one that the ring holds or expects (``stale``, ``chain``).
    """

    outcome: Outcome
    seq: int | None = None
    version: EntryId | None = None


class RenderedChunk(NamedTuple):
    """A chunk ready for the ring: its binary frame and the versions it was rendered from."""

    versions: Versions
    frame: bytes


class RingWriter:
    """Pushes runs of consecutive chunks. Safe to repeat: a push already applied returns ``stale``."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys

    async def push(
        self, channel: str, epoch_us: int, first_seq: int, run: Sequence[RenderedChunk]
    ) -> PushReply:
        """Put ``run`` into the ring at ``first_seq``: all of it or nothing."""
        keys = [self._keys.state(channel), self._keys.ring(channel), self._keys.ringmeta(channel)]
        args: list[Any] = [epoch_us, GUARD_US, RING_CHUNKS, RING_AHEAD_CHUNKS, first_seq]
        for chunk in run:
            args += [str(chunk.versions.own), str(chunk.versions.predecessor), chunk.frame]
        status, detail, *_ = await _push(self._client, keys, args)
        return _reply(Outcome(status.decode()), detail)


def _reply(outcome: Outcome, detail: Any) -> PushReply:
    if outcome in (Outcome.STALE, Outcome.CHAIN):
        return PushReply(outcome, version=EntryId.parse(detail))
    return PushReply(outcome, seq=None if outcome is Outcome.EPOCH else int(detail))
