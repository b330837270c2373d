"""What a worker learns about its own speed."""

from services.synth.ladder import LOOKS
from services.synth.pace import Pace
from services.synth.tracked import BATCH_CHUNKS, LONGEST_BATCH_US


def paced(*batches: tuple[float, int]) -> Pace:
    """A pace after ``batches``, each of seconds and chunks."""
    pace = Pace()
    for seconds, chunks in batches:
        pace.took(seconds, chunks)
    return pace


def last(pace: Pace, load: float) -> None:
    """Report ``load`` for as many looks as are averaged."""
    for _ in range(LOOKS):
        pace.spent(load)


def test_a_batch_is_expected_to_take_as_long_as_the_worst_recent_one() -> None:
    """A decaying maximum; never less than 10 ms, nor more than the longest batch allowed."""
    assert paced((0.05, 12)).batch_us == 50_000
    assert 10_000 < paced((0.05, 12), *[(0.012, 12)] * 5).batch_us < 50_000
    assert paced((0.05, 12), *[(0.001, 1)] * 50).batch_us == 10_000
    assert paced((9.0, 12)).batch_us == LONGEST_BATCH_US


def test_a_fast_machine_has_full_batches() -> None:
    assert paced().chunks() == BATCH_CHUNKS
    assert paced(*[(0.006, 12)] * 50).chunks() == BATCH_CHUNKS


def test_a_slow_machine_has_batches_of_about_6_ms() -> None:
    """Of at least one chunk, however long that takes."""
    assert paced(*[(0.027, 12)] * 50).chunks() == 3
    assert paced(*[(0.3, 4)] * 50).chunks() == 1


def test_a_worker_with_little_time_left_has_batches_of_up_to_25_ms() -> None:
    """The more chunks are rendered together, the less time each takes."""
    pace, found = paced(*[(0.027, 12)] * 50), []
    for load in (0.6, 0.75, 0.8, 0.9, 3.0, 0.1):
        last(pace, load)
        found.append(pace.chunks())
    assert found == [3, 3, 6, 11, 11, 3]


def test_chunks_that_could_not_be_in_time_one_by_one_are_rendered_together() -> None:
    """A revised chunk and its escape have 100 ms: at 5 ms each, ten channels are in time, eleven are not."""
    pace = paced(*[(0.005, 1)] * 50)
    assert [pace.chunks(urgent) for urgent in (0, 9, 11)] == [1, 1, 6]


def test_with_little_time_left_some_chunks_are_rendered_together_however_slow() -> None:
    """A device that takes as long for many chunks as for one is not limited to one."""
    pace = paced(*[(0.3, 4)] * 50)
    last(pace, 1.0)
    assert pace.chunks() == 6


def test_a_revision_does_not_make_a_machine_faster() -> None:
    """Chunks rendered again have their voices already: learning from them would make batches too long."""
    pace = paced(*[(0.005, 1)] * 50)
    for _ in range(50):
        pace.took(0.003, 3, again=True)
    assert pace.chunks() == 1


def test_a_single_slow_batch_changes_little() -> None:
    """A machine that stalled for a moment is as fast as before."""
    assert paced(*[(0.027, 12)] * 50).chunks() - paced(*[(0.027, 12)] * 50, (0.075, 12)).chunks() <= 1


def test_a_short_peak_of_load_is_no_lack_of_time() -> None:
    """Batches grow if the load lasts, not if all channels changed at once."""
    pace, found = paced(*[(0.027, 12)] * 50), []
    for load in (0.4, 1.0, 1.0, 0.4, 0.4, 1.0, 1.0, 1.0, 1.0):
        pace.spent(load)
        found.append(pace.chunks())
    assert found == [3, 3, 3, 3, 3, 3, 3, 8, 11]
