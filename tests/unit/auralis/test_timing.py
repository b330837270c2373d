"""Which chunks may still change."""

from hypothesis import given
from hypothesis import strategies as st

from auralis.audio import CHUNK_US, due_us
from auralis.timing import (
    GUARD_US,
    LEAD_US,
    LEASE_MS,
    RENEW_S,
    RING_AHEAD_CHUNKS,
    RING_CHUNKS,
    first_revisable_seq,
    first_unfrozen_seq,
)

epochs = st.integers(1_500_000_000_000_000, 2_500_000_000_000_000)
elapsed = st.integers(-(10**8), 10**15)


@given(epochs, elapsed)
def test_a_chunk_is_frozen_from_a_guard_before_its_due_time_on(epoch: int, since: int) -> None:
    seq = first_unfrozen_seq(epoch, epoch + since)
    assert epoch + since < due_us(epoch, seq) - GUARD_US
    assert epoch + since >= due_us(epoch, seq - 1) - GUARD_US


@given(epochs, elapsed)
def test_a_revision_reaches_the_first_chunk_that_leaves_guard_and_lead(epoch: int, since: int) -> None:
    seq = first_revisable_seq(epoch, epoch + since)
    assert due_us(epoch, seq) >= epoch + since + GUARD_US + LEAD_US
    assert due_us(epoch, seq - 1) < epoch + since + GUARD_US + LEAD_US


@given(epochs, elapsed)
def test_what_may_be_revised_is_not_frozen(epoch: int, since: int) -> None:
    assert first_revisable_seq(epoch, epoch + since) >= first_unfrozen_seq(epoch, epoch + since)


def test_the_ring_outlives_a_worker_whose_death_is_noticed_after_its_lease() -> None:
    ahead_s = RING_AHEAD_CHUNKS * CHUNK_US / 1e6
    assert ahead_s > LEASE_MS / 1000 + RENEW_S + GUARD_US / 1e6


def test_a_chunk_stays_in_the_ring_until_it_is_due() -> None:
    assert RING_AHEAD_CHUNKS < RING_CHUNKS
