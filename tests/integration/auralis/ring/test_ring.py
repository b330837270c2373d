"""The ring on a real broker."""

from tests.integration.auralis.ring.machine import run_ring_machine


def test_a_ring_keeps_its_promises_whatever_happens_in_whatever_order(redis_url: str) -> None:
    """Chunks stay consecutive, chained, at most 20; a frozen one never changes; a refusal changes nothing."""
    run_ring_machine(redis_url, lives=60, steps=30)
