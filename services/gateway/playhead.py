"""Decides which chunk is sent when: the mirror of one channel's ring, and what leaves at each due time.

Nothing here awaits or reads a clock. The ring is mirrored as far ahead as it goes, so playback continues
while the broker is away. Each chunk is sent once, at its due time; a hole is covered, flagged and counted.
"""

from collections import deque
from collections.abc import Mapping
from itertools import dropwhile
from typing import Final, NamedTuple

from auralis.audio import due_us, live_seq
from auralis.errors import ProtocolError
from auralis.ring.reader import Fetched, FetchedChunk
from auralis.ring.versions import Versions
from auralis.score.entry_id import EntryId
from auralis.timing import RING_CHUNKS
from auralis.wire import DISCONTINUITY, PCM_S16LE, Header, unpack
from services.gateway.frames import Chunk
from services.gateway.hole_cover import HoleCover

# 10 s: how far back a client that lost its connection may resume.
HISTORY_CHUNKS: Final = 100
BURST_CHUNKS: Final = 5
# A client that moves to another gateway may have heard a little more than this one has sent.
_RESUME_AHEAD_CHUNKS: Final = RING_CHUNKS


class Start(NamedTuple):
    """How a listener begins: ``backlog`` is sent at once, chunks from ``first_seq`` on when they are due.

    ``gap``: the first chunk does not follow what the listener heard before.
    """

    backlog: tuple[Chunk, ...] = ()
    first_seq: int = 0
    gap: bool = False


class Playhead:
    """The playhead of one channel. Times are µs of the broker's clock."""

    def __init__(self) -> None:
        self.epoch_us: int | None = None
        self.holes = 0
        self.rejected = 0
        self._next_seq: int | None = None
        self._held: dict[int, FetchedChunk] = {}
        self._history: deque[Chunk] = deque(maxlen=HISTORY_CHUNKS)
        self._hole_cover = HoleCover()
        self._last_id: EntryId | None = None
        self._last_real_seq: int | None = None

    @property
    def versions(self) -> Mapping[int, Versions]:
        """The versions of the mirrored chunks that have not been sent yet, by seq."""
        return {seq: chunk.versions for seq, chunk in self._held.items()}

    @property
    def from_seq(self) -> int:
        """The first chunk worth fetching."""
        return self._next_seq or 0

    def absorb(self, fetched: Fetched) -> bool:
        """Take in what was fetched from the ring; returns whether the channel's epoch has changed."""
        moved = self.epoch_us is not None and fetched.epoch_us != self.epoch_us
        if moved:
            self._begin_epoch(fetched)
        self.epoch_us = fetched.epoch_us
        for chunk in fetched.chunks:
            if chunk.seq >= self.from_seq and self._readable(chunk):
                self._held[chunk.seq] = chunk
        return moved

    def due(self, now_us: int) -> list[Chunk]:
        """The chunks to send at ``now_us``, each seq once; none before the channel's first chunk."""
        if self.epoch_us is None:
            return []
        live = live_seq(self.epoch_us, now_us)
        if self._next_seq is None and not self._begin(live):
            return []
        self._jump(live)
        sent = []
        while self._next_seq is not None and self._next_seq <= live:
            sent.append(self._take(self._next_seq, self.epoch_us))
            self._next_seq += 1
        return sent

    def depth(self) -> int:
        """The number of chunks mirrored without a hole, counted from the next one to send."""
        seq = start = self.from_seq
        while seq in self._held:
            seq += 1
        return seq - start

    def fresh(self) -> bool:
        """Whether the last chunk sent came from the ring."""
        return self._next_seq is not None and self._last_real_seq == self._next_seq - 1

    def start(self, since: int | None = None) -> Start:
        """How a client joins; ``since``: the last chunk that it has heard, if it resumes.

        If it missed more than the history holds, it gets the same burst as a new client, marked as a gap.
        """
        following, history = self.from_seq, list(self._history)
        if since is not None and history:
            if following <= since + 1 <= following + _RESUME_AHEAD_CHUNKS:
                return Start((), since + 1)
            if history[0].seq <= since + 1 < following:
                return Start(tuple(dropwhile(lambda chunk: chunk.seq <= since, history)), following)
        return Start(tuple(history[-BURST_CHUNKS:]), following, gap=since is not None)

    def _readable(self, chunk: FetchedChunk) -> bool:
        try:
            header, _ = unpack(chunk.frame)
        except ProtocolError:
            self.rejected += 1
            return False
        if header.seq == chunk.seq and header.codec == PCM_S16LE:
            return True
        self.rejected += 1
        return False

    def _begin_epoch(self, fetched: Fetched) -> None:
        """Restart the count, the channel having been recreated after data loss; the audio is joined on."""
        self._held.clear()
        self._history.clear()
        self._last_id = None
        self._last_real_seq = None
        if self._next_seq is not None:
            self._next_seq = max(live_seq(fetched.epoch_us, fetched.now_us) + 1, 0)

    def _begin(self, live: int) -> bool:
        """Start with the live chunk; earlier chunks, which other gateways may have sent, become history."""
        if live not in self._held:
            return False
        start = live
        while start - 1 in self._held:
            start -= 1
        for seq in range(start, live):
            self._from_ring(self._held[seq])
        self._held = {seq: chunk for seq, chunk in self._held.items() if seq >= live}
        self._next_seq = live
        return True

    def _jump(self, live: int) -> None:
        """Continue with the live chunk after a pause, such as a suspended machine."""
        if self._next_seq is None or live - self._next_seq < RING_CHUNKS:
            return
        self._next_seq = live
        self._held = {seq: chunk for seq, chunk in self._held.items() if seq >= live}
        self._last_id = None

    def _take(self, seq: int, epoch_us: int) -> Chunk:
        held = self._held.pop(seq, None)
        return self._cover(seq, epoch_us) if held is None else self._from_ring(held)

    def _from_ring(self, held: FetchedChunk) -> Chunk:
        chunk = Chunk(held.frame)
        if not self._hole_cover.empty and self._last_id != held.versions.predecessor:
            header = chunk.header._replace(flags=chunk.header.flags | DISCONTINUITY)
            chunk = Chunk.of(header, self._hole_cover.joined(chunk.payload))
        self._hole_cover.remember(chunk.payload)
        self._last_id = held.versions.own
        self._last_real_seq = chunk.seq
        return self._sent(chunk)

    def _cover(self, seq: int, epoch_us: int) -> Chunk:
        self.holes += 1
        self._last_id = None
        revision = self._history[-1].header.revision if self._history else 0
        header = Header(PCM_S16LE, DISCONTINUITY, revision, seq, due_us(epoch_us, seq))
        return self._sent(Chunk.of(header, bytes(self._hole_cover.cover())))

    def _sent(self, chunk: Chunk) -> Chunk:
        if self._history:
            self._history[-1].forget_encoded()
        self._history.append(chunk)
        return chunk
