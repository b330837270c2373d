"""One listener's backpressure: what it is sent, what it loses when it is slow, when it has to go.

Frames are written straight to the transport, which never waits; how much lies unsent in it is the only
thing looked at. A slow listener costs itself chunks and nobody else anything.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from services.gateway.frames import Chunk
from services.gateway.playhead import Start
from services.gateway.protocol import CLOSE_TRY_LATER

# Up to here the network has merely hiccuped; more lies in this process's memory for every slow listener.
HIGH_WATER_BYTES: Final = 64 * 1024
# Beyond half a second of waiting chunks the player has run dry anyway, and newer ones are worth more.
QUEUE_CHUNKS: Final = 5
# Nothing could be written for this long: the listener is gone or hopeless.
STALL_S: Final = 4.0


class Outlet(Protocol):
    """What is used of a transport."""

    def write(self, data: bytes) -> None:
        """Send, or keep what can't be sent yet."""

    def get_write_buffer_size(self) -> int:
        """Bytes that are kept."""

    def is_closing(self) -> bool:
        """Whether nothing more can be sent."""


@dataclass(slots=True)
class Tally:
    """Chunks that listeners were sent, and lost, since somebody last counted."""

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

    def say(self, frame: bytes) -> None:
        """Send one text frame."""
        if not self.closed and not self._outlet.is_closing():
            self._outlet.write(frame)

    def offer(self, chunk: Chunk, now_s: float) -> None:
        """A chunk is due: send it, or keep it for a moment, or lose the oldest that waits."""
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
        """The channel counts anew."""
        self._next_seq = 0

    def pump(self, now_s: float) -> None:
        """Send what waits, as far as the transport takes it."""
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
        """The newest chunk with its gap mark says what happened, should the listener ever read on."""
        if self._gap:
            self._send(self._queue[-1])
        self.close(CLOSE_TRY_LATER, "too slow")
