"""One listener's backpressure: what it is sent, what is dropped when it is slow, when it is disconnected.

Frames are written straight to the transport, which never blocks; the number of unsent bytes in it is the only
thing measured. A slow listener loses chunks itself and costs the others nothing.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from services.gateway.frames import Chunk
from services.gateway.playhead import Start
from services.gateway.protocol import CLOSE_TRY_LATER

# Up to this much, the network has merely hiccuped; more would take memory here for every slow listener.
HIGH_WATER_BYTES: Final = 64 * 1024
# With more than half a second of chunks queued the player has run dry anyway, and newer ones are worth more.
QUEUE_CHUNKS: Final = 5
# A listener to which nothing could be written for this long is gone or hopelessly slow.
STALL_S: Final = 4.0


class Outlet(Protocol):
    """The part of a transport's interface that a listener uses."""

    def write(self, data: bytes) -> None:
        """Send ``data``, buffering what can't be sent yet."""

    def get_write_buffer_size(self) -> int:
        """The number of bytes in the buffer."""

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""


@dataclass(slots=True)
class Tally:
    """Chunks sent to listeners, and dropped for them, since the tally was last read."""

    sent: int = 0
    dropped: int = 0


class Listener:
    """One listener of one channel. Times are seconds of any monotonic clock.

    ``end(code, reason)`` ends its connection; it is called at most once.
    """

    def __init__(
        self,
        outlet: Outlet,
        subprotocol: str,
        end: Callable[[int, str], None],
        tally: Tally,
        start: Start,
    ) -> None:
        self._outlet = outlet
        self._subprotocol = subprotocol
        self._end = end
        self._tally = tally
        self._next_seq = start.first_seq
        self._queue = deque(start.backlog)
        self._room = len(self._queue) + QUEUE_CHUNKS
        self._gap = start.gap
        self._stalled_at_s: float | None = None
        self.closed = False

    def send_text(self, frame: bytes) -> None:
        """Send one text frame."""
        if not self.closed and not self._outlet.is_closing():
            self._outlet.write(frame)

    def offer(self, chunk: Chunk, now_s: float) -> None:
        """Take a chunk that is due: send or queue it, and drop the oldest chunks if the queue is too long."""
        if chunk.seq < self._next_seq or self.closed:
            return
        self._queue.append(chunk)
        self.pump(now_s)
        while len(self._queue) > self._room:
            self._queue.popleft()
            self._tally.dropped += 1
            self._gap = True

    def close(self, code: int, reason: str) -> None:
        """Send nothing more and end the connection."""
        if not self.closed:
            self.closed = True
            self._queue.clear()
            self._end(code, reason)

    def begin_epoch(self) -> None:
        """Expect sequence numbers from 0 again: the channel was recreated."""
        self._next_seq = 0

    def pump(self, now_s: float) -> None:
        """Send queued chunks until the transport has enough; give up on a listener that has stalled."""
        if self._outlet.is_closing():
            return
        sent = 0
        while self._queue and self._outlet.get_write_buffer_size() <= HIGH_WATER_BYTES:
            self._send(self._queue.popleft())
            sent += 1
        # A resumed listener's backlog may be long; once sent, the usual limit holds.
        self._room = min(self._room, len(self._queue) + QUEUE_CHUNKS)
        if sent or not self._queue:
            self._stalled_at_s = None
        elif self._stalled_at_s is None:
            self._stalled_at_s = now_s
        elif now_s - self._stalled_at_s >= STALL_S:
            self._give_up()

    def _send(self, chunk: Chunk) -> None:
        self._outlet.write(chunk.encoded(self._subprotocol, gap=self._gap))
        self._gap = False
        self._next_seq = chunk.seq + 1
        self._tally.sent += 1

    def _give_up(self) -> None:
        """Close; the newest chunk with its gap flag says what happened, should the listener ever read on."""
        if self._gap:
            self._send(self._queue[-1])
        self.close(CLOSE_TRY_LATER, "too slow")
