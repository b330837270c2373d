"""The broker's clock: an offset that follows the shortest round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from auralis.clock import STEP_US, WINDOW, BrokerClock, Exchange, OffsetFilter


def _filtered(*exchanges: tuple[int, int]) -> Exchange | None:
    chosen = OffsetFilter()
    for round_trip_us, offset_us in exchanges:
        chosen.add(Exchange(round_trip_us, offset_us))
    return chosen.best


def test_nothing_is_best_of_nothing() -> None:
    assert OffsetFilter().best is None


def test_the_exchange_with_the_shortest_round_trip_wins() -> None:
    assert _filtered((900, 5_100), (200, 5_000), (400, 5_050)) == (200, 5_000)


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 200_000), st.floats(-1, 1)), min_size=1, max_size=2 * WINDOW),
)
def test_the_error_is_at_most_half_the_shortest_round_trip_of_the_window(
    true_us: int, trips: list[tuple[int, float]]
) -> None:
    """However unequal the two directions of an exchange are, and in whatever order the exchanges come."""
    chosen = OffsetFilter()
    for round_trip_us, asymmetry in trips:
        chosen.add(Exchange(round_trip_us, true_us + int(asymmetry * round_trip_us / 2)))
    assert chosen.best is not None
    assert chosen.best.round_trip_us == min(trip for trip, _ in trips[-WINDOW:])
    assert abs(chosen.best.offset_us - true_us) <= chosen.best.round_trip_us / 2


@given(st.integers(2 * STEP_US, 10**15), st.sampled_from((-1, 1)), st.integers(0, STEP_US))
def test_a_clock_that_was_set_begins_anew_even_by_a_slower_exchange(step: int, sign: int, slow: int) -> None:
    assert _filtered((100, 0), (120, 3), (100 + slow, sign * step)) == (100 + slow, sign * step)


def test_a_slow_exchange_is_no_step_as_long_as_its_round_trip_explains_it() -> None:
    assert _filtered((100, 0), (2_000_000, 900_000)) == (100, 0)


def test_old_exchanges_leave_the_window() -> None:
    assert _filtered((10, 0), *[(100, 50)] * WINDOW) == (100, 50)


class _AnsweringBroker:
    """A broker whose clock is ``offset_us`` ahead of a local one that advances with every question."""

    def __init__(self, offset_us: int, way_there_us: int, way_back_us: int) -> None:
        self.local_us = 1_000_000
        self._offset_us = offset_us
        self._ways = (way_there_us, way_back_us)

    async def time(self) -> tuple[int, int]:
        self.local_us += self._ways[0]
        answer = divmod(self.local_us + self._offset_us, 1_000_000)
        self.local_us += self._ways[1]
        return answer


def _clock(broker: _AnsweringBroker) -> BrokerClock:
    return BrokerClock(broker, local_us=lambda: broker.local_us)  # type: ignore[arg-type]


async def test_equal_ways_give_the_brokers_time_exactly() -> None:
    broker = _AnsweringBroker(1_700_000_000_123_456, 300, 300)
    clock = _clock(broker)
    await clock.start()
    assert clock.now_us() == broker.local_us + 1_700_000_000_123_456


async def test_the_clock_goes_on_without_asking() -> None:
    broker = _AnsweringBroker(5_000_000, 10, 10)
    clock = _clock(broker)
    await clock.sync()
    before = clock.now_us()
    broker.local_us += 7_000_000
    assert clock.now_us() == before + 7_000_000


async def test_a_time_of_the_broker_is_found_on_the_local_clock() -> None:
    broker = _AnsweringBroker(9_000_000, 0, 0)
    clock = _clock(broker)
    await clock.sync()
    assert clock.local_s(clock.now_us() + 250_000) == pytest.approx(broker.local_us / 1e6 + 0.25)


async def test_a_clock_that_never_asked_does_not_guess(client: Redis) -> None:
    with pytest.raises(RuntimeError, match="not been synchronised"):
        BrokerClock(client).now_us()


async def test_a_real_broker_is_met_within_the_round_trip(client: Redis) -> None:
    clock = BrokerClock(client)
    await clock.start()
    before = clock.now_us()
    seconds, micros = await client.time()
    after = clock.now_us()
    assert before - 5_000 <= seconds * 1_000_000 + micros <= after + 5_000
