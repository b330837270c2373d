"""What a worker learns of how fast it is."""

from services.synth.ladder import LOOKS
from services.synth.pace import Pace
from services.synth.tracked import BATCH_CHUNKS, LONGEST_BATCH_US


def paced(*batches: tuple[float, int]) -> Pace:
    """After batches of so many seconds and chunks."""
    pace = Pace()
    for seconds, chunks in batches:
        pace.took(seconds, chunks)
    return pace


def last(pace: Pace, load: float) -> None:
    """``load`` at so many looks as count."""
    for _ in range(LOOKS):
        pace.spent(load)


def test_a_batch_is_expected_to_take_what_one_took_lately_at_worst() -> None:
    """Forgotten slowly; never less than 10 ms, and no more than the longest one."""
    assert paced((0.05, 12)).batch_us == 50_000
    assert 10_000 < paced((0.05, 12), *[(0.012, 12)] * 5).batch_us < 50_000
    assert paced((0.05, 12), *[(0.001, 1)] * 50).batch_us == 10_000
    assert paced((9.0, 12)).batch_us == LONGEST_BATCH_US


def test_a_fast_machine_has_full_batches() -> None:
    assert paced().chunks() == BATCH_CHUNKS
    assert paced(*[(0.006, 12)] * 50).chunks() == BATCH_CHUNKS


def test_a_slow_machine_has_batches_of_about_6_ms() -> None:
    """One chunk at least, which takes as long as it takes."""
    assert paced(*[(0.027, 12)] * 50).chunks() == 3
    assert paced(*[(0.3, 4)] * 50).chunks() == 1


def test_a_worker_with_little_time_left_has_batches_of_up_to_25_ms() -> None:
    """The more are rendered together the less each one takes."""
    pace, found = paced(*[(0.027, 12)] * 50), []
    for load in (0.6, 0.75, 0.8, 0.9, 3.0, 0.1):
        last(pace, load)
        found.append(pace.chunks())
    assert found == [3, 3, 6, 11, 11, 3]


def test_what_could_not_be_in_time_one_by_one_goes_together() -> None:
    """A revised chunk and its escape have 100 ms: of 5 ms each ten channels' have, eleven's have not."""
    pace = paced(*[(0.005, 1)] * 50)
    assert [pace.chunks(urgent) for urgent in (0, 9, 11)] == [1, 1, 6]


def test_where_little_time_is_left_some_chunks_go_together_however_slow() -> None:
    """A device that takes as long for many is not kept to few."""
    pace = paced(*[(0.3, 4)] * 50)
    last(pace, 1.0)
    assert pace.chunks() == 6


def test_a_revision_does_not_make_a_machine_faster() -> None:
    """What it renders again has its voices; in longer batches of new chunks each would wait for all."""
    pace = paced(*[(0.005, 1)] * 50)
    for _ in range(50):
        pace.took(0.003, 3, again=True)
    assert pace.chunks() == 1


def test_a_single_slow_batch_changes_little() -> None:
    """A machine that stood still for a moment is as fast as before."""
    assert paced(*[(0.027, 12)] * 50).chunks() - paced(*[(0.027, 12)] * 50, (0.075, 12)).chunks() <= 1


def test_a_moment_of_too_much_is_no_lack_of_time() -> None:
    """Batches grow where it lasts, not where all channels were turned at once."""
    pace, found = paced(*[(0.027, 12)] * 50), []
    for load in (0.4, 1.0, 1.0, 0.4, 0.4, 1.0, 1.0, 1.0, 1.0):
        pace.spent(load)
        found.append(pace.chunks())
    assert found == [3, 3, 3, 3, 3, 3, 3, 8, 11]
