"""The score log in the broker: its writing end for the composer, its reading end for everybody else."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

import structlog
from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.broker import LuaFunction
from auralis.errors import ProtocolError
from auralis.keyspace import Keyspace
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, decode_batch, encode_batch
from auralis.timing import GUARD_US, LEAD_US, SCORE_RETENTION_MS

_log = structlog.get_logger()
_append: Final = LuaFunction("auralis.score", "append.lua")
_PAGE: Final = 500


class Refusal(StrEnum):
    """Why an entry was not appended."""

    LATE = "late"  # it begins before the first frame that may still change
    CONFLICT = "conflict"  # another composer has written since the checkpoint was read
    MISSING = "missing"  # the channel does not exist


class Appended(NamedTuple):
    """The new entry's id, or why there is none; if ``late``, also the first frame allowed."""

    entry_id: EntryId | None
    refusal: Refusal | None = None
    first_frame: int | None = None


class ScoreWriter:
    """Appends batches, each together with the composer's checkpoint."""

    def __init__(self, client: Redis, keys: Keyspace, audio: AudioFormat) -> None:
        self._client = client
        self._keys = keys
        self._audio = audio

    async def append(
        self, channel: str, version: int, batch: Batch, checkpoint: Mapping[str, bytes | str | int]
    ) -> Appended:
        """Append ``batch`` if the state is still at ``version``. ``checkpoint``: fields of the state hash."""
        args: list[Any] = [
            version,
            batch.from_frame,
            batch.until_frame,
            batch.revision,
            self._audio.frames_per_chunk,
            GUARD_US + LEAD_US,
            SCORE_RETENTION_MS,
            self._keys.wake,
            f"score {channel}",
            encode_batch(batch),
        ]
        for field, value in checkpoint.items():
            args += [field, value]
        keys = [self._keys.state(channel), self._keys.score(channel)]
        status, detail = await _append(self._client, keys, args)
        if status == b"ok":
            return Appended(EntryId.parse(detail))
        refusal = Refusal(status.decode())
        return Appended(None, refusal, int(detail) if refusal is Refusal.LATE else None)


class LogEntry(NamedTuple):
    """One decoded entry of the log."""

    id: EntryId
    batch: Batch


class ScoreReader:
    """Reads the log in order. An unreadable entry is skipped and counted in ``rejected``."""

    def __init__(self, client: Redis, keys: Keyspace) -> None:
        self._client = client
        self._keys = keys
        self.rejected = 0

    async def read(self, channel: str, after: EntryId = NO_ENTRY) -> list[LogEntry]:
        """All readable entries after ``after``."""
        entries: list[LogEntry] = []
        while True:
            reply = await self._client.xrange(self._keys.score(channel), min=f"({after}", count=_PAGE)
            page = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
            for raw_id, fields in page:
                after = EntryId.parse(raw_id)
                entries += self._decoded(channel, after, fields)
            if len(page) < _PAGE:
                return entries

    def _decoded(self, channel: str, entry_id: EntryId, fields: dict[bytes, bytes]) -> list[LogEntry]:
        try:
            return [LogEntry(entry_id, decode_batch(fields.get(b"batch", b"")))]
        except ProtocolError as error:
            self.rejected += 1
            _log.error("score entry passed over", channel=channel, entry=str(entry_id), reason=str(error))
            return []
