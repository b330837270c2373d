"""What a slow listener receives, and when it is disconnected."""

from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.wire import DISCONTINUITY, unpack
from services.gateway.frames import Chunk
from services.gateway.listener import HIGH_WATER_BYTES, QUEUE_CHUNKS, STALL_S, Listener, Tally
from services.gateway.playhead import Start
from services.gateway.protocol import SUBPROTOCOL
from tests.unit.gateway.ringing import frame

WEBSOCKET_HEAD = 4  # of a frame with a 16-bit length


class Wire:
    """A transport whose reader takes only what the test says."""

    def __init__(self) -> None:
        self.unsent = 0
        self.frames: list[bytes] = []
        self.closing = False
        self.stalled = False

    def write(self, data: bytes) -> None:
        self.frames.append(data)
        if self.stalled:
            self.unsent += HIGH_WATER_BYTES // 3

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing

    def heard(self) -> list[tuple[int, bool]]:
        """Seq and gap mark of every chunk written."""
        headers = [unpack(data[WEBSOCKET_HEAD:])[0] for data in self.frames]
        return [(header.seq, bool(header.flags & DISCONTINUITY)) for header in headers]


class Case:
    """One listener with its wire."""

    def __init__(self, start: Start = Start()) -> None:  # noqa: B008  immutable
        self.wire = Wire()
        self.tally = Tally()
        self.closed: list[tuple[int, str]] = []
        end = lambda code, reason: self.closed.append((code, reason))  # noqa: E731
        self.listener = Listener(self.wire, SUBPROTOCOL, end, self.tally, start)

    def due(self, *seqs: int) -> None:
        """Chunks become due, one every 0.1 s."""
        for seq in seqs:
            self.listener.offer(Chunk(frame(seq)), seq / 10)


def test_a_listener_that_reads_gets_every_chunk() -> None:
    case = Case()
    case.due(*range(50))
    assert case.wire.heard() == [(seq, False) for seq in range(50)]
    assert (case.tally.sent, case.tally.dropped) == (50, 0)


def test_a_hiccup_loses_nothing() -> None:
    """Chunks that could not be sent for less than half a second are sent in order afterwards."""
    case = Case()
    case.due(1)
    case.wire.unsent = HIGH_WATER_BYTES + 1
    case.due(2, 3, 4)
    case.wire.unsent = 0
    case.due(5)
    assert case.wire.heard() == [(1, False), (2, False), (3, False), (4, False), (5, False)]


def test_a_slow_listener_loses_the_oldest_and_is_told() -> None:
    """The chunk after the gap is marked; those behind it are not."""
    case = Case()
    case.due(0)
    case.wire.unsent = HIGH_WATER_BYTES + 1
    case.due(*range(1, 10))
    case.wire.unsent = 0
    case.due(10)
    kept = range(10 - QUEUE_CHUNKS, 11)
    assert case.wire.heard() == [(0, False), *((seq, seq == kept[0]) for seq in kept)]
    assert case.tally.dropped == 9 - QUEUE_CHUNKS


def test_a_stalled_listener_has_to_go() -> None:
    """After four seconds without draining: the newest chunk with its gap mark, then close code 1013."""
    case = Case()
    case.wire.unsent = HIGH_WATER_BYTES + 1
    case.due(*range(int(10 * STALL_S)))
    assert case.closed == []
    case.due(40, 41, 42)
    assert case.closed == [(1013, "too slow")]
    assert case.wire.heard() == [(40, True)]


def test_nothing_follows_the_close() -> None:
    case = Case()
    case.wire.unsent = HIGH_WATER_BYTES + 1
    case.due(*range(45))
    case.wire.unsent = 0
    written = len(case.wire.frames)
    case.due(45, 46)
    case.listener.send_text(b"text")
    assert len(case.wire.frames) == written
    assert len(case.closed) == 1


def test_a_slow_but_living_listener_stays() -> None:
    """Draining one chunk every three seconds is poor, but the listener is still there."""
    case = Case()
    for seq in range(300):
        case.wire.unsent = 0 if seq % 30 == 0 else HIGH_WATER_BYTES + 1
        case.due(seq)
    assert case.closed == []


def test_memory_of_a_stalled_listener_is_bounded() -> None:
    """However long it stalls, only a handful of chunks wait for it."""
    case = Case()
    case.wire.stalled = True
    case.due(*range(1000))
    assert len(case.listener._queue) <= QUEUE_CHUNKS
    assert len(case.wire.frames) <= 6


def test_the_backlog_of_a_resumed_listener_is_not_cut() -> None:
    """A hundred chunks that it missed may wait until it has read them."""
    case = Case(Start(tuple(Chunk(frame(seq)) for seq in range(100)), 100))
    case.wire.unsent = HIGH_WATER_BYTES + 1
    case.listener.pump(10.0)
    case.due(100, 101)
    case.wire.unsent = 0
    case.due(102)
    assert [seq for seq, _ in case.wire.heard()] == list(range(103))


def test_a_gap_before_the_backlog_is_marked() -> None:
    """When it resumes after too long, the first chunk is marked: something is missing before it."""
    case = Case(Start((Chunk(frame(7)), Chunk(frame(8))), 9, gap=True))
    case.listener.pump(0.0)
    assert case.wire.heard() == [(7, True), (8, False)]


def test_what_was_heard_elsewhere_is_not_sent_again() -> None:
    """A client that was further ahead at another gateway waits for its next chunk."""
    case = Case(Start((), 5))
    case.due(3, 4, 5)
    assert case.wire.heard() == [(5, False)]


def test_a_new_epoch_counts_anew() -> None:
    case = Case()
    case.due(70)
    case.listener.begin_epoch()
    case.due(1)
    assert [seq for seq, _ in case.wire.heard()] == [70, 1]


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, HIGH_WATER_BYTES, HIGH_WATER_BYTES + 1]), max_size=80))
def test_any_congestion(unsent: list[int]) -> None:
    """Seqs rise, each comes once, and wherever one is missing, and only there, the next is marked."""
    case = Case()
    for seq, size in enumerate(unsent):
        case.wire.unsent = size
        case.due(seq)
    expected = 0
    for seq, marked in case.wire.heard():
        assert seq >= expected
        assert marked == (seq > expected)
        expected = seq + 1
    assert case.tally.sent == len(case.wire.frames)
