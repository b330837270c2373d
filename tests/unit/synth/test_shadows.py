"""How many channels of others a worker has time for."""

from services.synth.shadows import MOST, Spare


def after(spare: Spare, *loads: float) -> int:
    """How many channels are allowed after seconds of these loads."""
    count = MOST
    for load in loads:
        spare.spent(load)
        count = spare.allowed(count)
    return count


def test_channels_are_added_one_at_a_time() -> None:
    assert [Spare().allowed(count) for count in range(MOST + 1)] == [1, 2, 3, 4, 4]


def test_a_worker_with_almost_half_of_its_time_left_keeps_up() -> None:
    assert after(Spare(), *[0.55] * 100) == MOST


def test_a_busy_worker_keeps_up_with_nothing_until_there_is_time_again() -> None:
    """One busy second does not count, and no channel is begun only to be dropped again."""
    spare = Spare()
    assert after(spare, 0.3, 0.9, 0.3, 0.9, 0.3) == MOST
    assert after(spare, *[0.7] * 40) == 0
    assert after(spare, *[0.55] * 100) == 0
    assert after(spare, *[0.4] * 40) == MOST
