"""A channel as its worker tracks it."""

import numpy as np

from auralis.audio import CHUNK_US, AudioFormat
from auralis.channel.state import ChannelState
from auralis.controls import Controls
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY
from auralis.timing import first_unfrozen_seq
from auralis.wire import unpack
from services.synth.renderer import Renderer
from services.synth.tracked import TrackedChannel, most_urgent
from tests.device import DEVICE
from tests.unit.synth.scores import FIRST, lowered, phrase, revised, score_of

AUDIO = AudioFormat()
EPOCH_US = 1_700_000_000_000_000


def channel(name: str = "main") -> TrackedChannel:
    """A channel with six seconds written."""
    state = ChannelState(name, EPOCH_US, 7, 44_100, True, Controls(), 0, 0, 0, 0, None, NO_ENTRY)
    tracked = TrackedChannel.of(state)
    tracked.score = score_of(phrase(AUDIO), AUDIO)
    return tracked


def fill(tracked: TrackedChannel, now_us: int) -> None:
    """Note everything that has to be rendered as pushed."""
    while (run := tracked.next_run(now_us, now_us)) is not None:
        tracked.ring.pushed(run)


def test_chunks_are_the_binary_frames_of_the_contract() -> None:
    """Header and payload: codec, revision in effect, seq, due time; one chunk of PCM."""
    tracked = channel()
    revised(tracked.score, AUDIO, 14, 0.9)
    run = tracked.next_run(EPOCH_US + CHUNK_US * 12, EPOCH_US + CHUNK_US * 12)
    assert run is not None
    pcm = Renderer(AUDIO, DEVICE).render(tracked.jobs(run))
    (chunk,) = tracked.chunks(run, pcm)
    header, payload = unpack(chunk.frame)
    assert (header.codec, header.flags, header.revision) == (0, 0, 1)
    assert (header.seq, header.due_us) == (run.first_seq, EPOCH_US + run.first_seq * CHUNK_US)
    assert len(payload) == AUDIO.bytes_per_chunk
    assert np.frombuffer(payload, "<i2").any()


def test_a_revision_on_time_misses_nothing() -> None:
    """Chunks that are rendered again before they freeze are no missed deadlines."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    assert tracked.missed(now) == 0
    revised(tracked.score, AUDIO, 14, 0.9)
    fill(tracked, now + CHUNK_US)
    assert tracked.missed(now + 16 * CHUNK_US) == 0


def test_a_chunk_that_freezes_in_its_old_version_is_counted() -> None:
    """The two chunks that froze before the worker got to the revision count as missed, once."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    tracked.missed(now)
    revised(tracked.score, AUDIO, 14, 0.9)
    late = EPOCH_US + 14 * CHUNK_US
    fill(tracked, late)
    assert tracked.missed(late) == tracked.late == 2
    assert tracked.missed(late + 5 * CHUNK_US) == 0


def test_a_chunk_that_never_came_is_missing() -> None:
    """Once the ring has been full, chunks that freeze unrendered are missing, until it is filled again."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    tracked.missed(now)
    head = tracked.ring.head or 0
    dry = EPOCH_US + (head + 3) * CHUNK_US
    assert tracked.missed(dry) == tracked.missing == 4
    fill(tracked, dry)
    assert tracked.missed(dry + 10 * CHUNK_US) == 0


def test_before_the_ring_is_full_nothing_is_missing() -> None:
    """A worker that takes a channel over finds chunks that nobody rendered; they don't count as its own."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    tracked.missed(now)
    assert tracked.missed(now + 5 * CHUNK_US) == 0
    fill(tracked, now + 6 * CHUNK_US)
    assert tracked.missed(now + 9 * CHUNK_US) == 0


def test_a_channel_that_slept_has_missed_nothing() -> None:
    """Nobody listened for half a minute: the chunks that froze meanwhile were not to be rendered."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    tracked.missed(now)
    woken = now + 300 * CHUNK_US
    assert tracked.missed(woken) == 0
    fill(tracked, woken)
    assert tracked.missed(woken + 5 * CHUNK_US) == 0


def test_quality_is_the_latest_of_the_score() -> None:
    """Full until the score says otherwise."""
    tracked = channel()
    assert tracked.quality == 1.0
    lowered(tracked.score, AUDIO, 14, 0.5)
    assert tracked.quality == 0.5


def test_a_change_of_quality_renders_nothing_twice() -> None:
    """It is asked for from a chunk that the ring does not hold yet."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    lowered(tracked.score, AUDIO, tracked.unrendered_seq, 0.5)
    run = tracked.next_run(now + 4 * CHUNK_US, now + 4 * CHUNK_US)
    assert run is not None
    assert not tracked.rerenders(run)


def test_a_channel_is_urgent_if_its_next_chunks_have_to_be_rendered_again() -> None:
    """Its next chunk to freeze, or the one after it, is stale; it is urgent until that is rendered again."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    first = first_unfrozen_seq(EPOCH_US, now)
    revised(tracked.score, AUDIO, first + 1, 0.9)
    assert tracked.is_urgent(now)
    assert not tracked.is_urgent(now - CHUNK_US)
    fill(tracked, now)
    assert not tracked.is_urgent(now)


def rendered(name: str, last_seq: int) -> TrackedChannel:
    """A channel that has been rendered up to ``last_seq``."""
    tracked = channel(name)
    tracked.ring.held = {seq: Versions(FIRST, FIRST) for seq in range(last_seq - 5, last_seq + 1)}
    tracked.rendered_seq = last_seq
    return tracked


def batch(*channels: TrackedChannel, now_us: int = EPOCH_US + 30 * CHUNK_US) -> list[tuple[str, int]]:
    """The channels that are rendered next, each with its first chunk."""
    return [(tracked.id, run.first_seq) for tracked, run in most_urgent(channels, now_us, 10_000)]


def test_the_run_that_is_due_first_is_rendered_first() -> None:
    assert batch(rendered("a", 40), rendered("b", 36), rendered("c", 48)) == [("b", 37), ("a", 41)]


def test_a_slow_machine_renders_fewer_at_once() -> None:
    """An urgent run does not wait for others; a single run is never cut."""
    channels, now_us = [rendered("a", 40), rendered("b", 36)], EPOCH_US + 30 * CHUNK_US
    for most_chunks, served in ((12, ["b", "a"]), (11, ["b"]), (1, ["b"])):
        found = most_urgent(channels, now_us, 10_000, most_chunks)
        assert [tracked.id for tracked, _ in found] == served


def test_a_cold_channel_is_a_batch_of_its_own() -> None:
    """It takes as long as dozens of chunks; others in its batch would be late."""
    assert batch(channel("cold"), channel("colder"), rendered("warm", 47)) == [("cold", 36)]


def test_no_channel_runs_dry_while_a_cold_one_begins() -> None:
    """Channels with less than a second ahead go first."""
    assert batch(channel("cold"), rendered("low", 40), rendered("lower", 36)) == [("lower", 37), ("low", 41)]


def test_a_taken_over_channel_begins_before_its_ring_is_empty() -> None:
    """It goes before the worker's other channels if these have more left."""
    taken, own = rendered("taken", 40), rendered("own", 44)
    taken.rendered_seq = None
    assert batch(taken, own) == [("taken", 41)]
    assert batch(taken, rendered("low", 34)) == [("low", 35)]


def test_a_cold_channel_begins_at_a_chunk_that_can_be_in_time() -> None:
    """Its first chunk is one that is due after its past will have been rendered; it is cold only once."""
    tracked, now = channel(), EPOCH_US + 30 * CHUNK_US
    ((_, first),) = batch(tracked, now_us=now)
    tracked.rendered_seq = first
    assert not tracked.is_cold(now)
    assert batch(tracked, now_us=now) == [("main", first - 4)]
    assert tracked.is_cold(now + 40 * CHUNK_US)


def test_played_chunks_and_notes_are_forgotten() -> None:
    """After a minute only the last chunks and the entry that they come from are left."""
    tracked, now = channel(), EPOCH_US + 10 * CHUNK_US
    fill(tracked, now)
    later = now + 600 * CHUNK_US
    fill(tracked, later)
    tracked.forget(later)
    assert min(tracked.ring.held) >= 605
    view = tracked.score.view()
    assert not [n for n in view.notes(0, AUDIO.frames(20)) if n.id > 0]
    assert tracked.score.version_for(AUDIO.end_frame(620)) == FIRST
