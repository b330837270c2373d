"""The score as listeners see it."""

from auralis.score.events import Automation, Batch, Chord, Event, Note, Patch, Revise, Section, Tempo
from services.gateway.timeline import Timeline


def note(at: int, length: int = 100, number: int = 0) -> Note:
    return Note(at, number or at + 1, length, 60.0, 0.5, "bell", "bells")


def chord(at: int) -> Chord:
    return Chord(at, 1000, 9, "m", "i", (57.0,))


def batch(start: int, until: int, *events: Event, revision: int = 0) -> Batch:
    return Batch(revision, start, until, events)


def test_a_batch_is_told_as_it_is() -> None:
    message = Timeline().apply(batch(0, 500, chord(0), note(10)))
    assert message.events == (chord(0), note(10))
    assert (message.revise_from, message.from_frame, message.until_frame) == (None, 0, 500)


def test_a_revision_says_what_is_withdrawn() -> None:
    """The revise event becomes ``revise_from``; patches are of no interest to a display."""
    message = Timeline().apply(batch(200, 500, Revise(200), Patch(200, "bells", "bell"), note(250)))
    assert (message.revise_from, message.events) == (200, (note(250),))


def test_what_was_withdrawn_is_not_shown() -> None:
    timeline = Timeline()
    timeline.apply(batch(0, 500, note(100), note(200), note(300)))
    timeline.apply(batch(200, 500, Revise(200), note(250)))
    assert timeline.snapshot(0).events == (note(100), note(250))


def test_a_newcomer_sees_what_sounds_and_what_lies_ahead() -> None:
    """A long note that began earlier, the chord in force, and everything still to come."""
    timeline = Timeline()
    timeline.apply(batch(0, 500, chord(0), note(5, 10), note(50, 400), chord(100), note(300)))
    snapshot = timeline.snapshot(200)
    assert snapshot.events == (note(50, 400), chord(100), note(300))
    assert (snapshot.revise_from, snapshot.from_frame, snapshot.until_frame) == (50, 50, 500)


def test_a_newcomer_sees_tempo_section_and_ramps_in_force() -> None:
    timeline = Timeline()
    ramps = [Automation(0, "intensity", 10, 0.2), Automation(20, "brightness", 10, 0.3)]
    later = Automation(60, "intensity", 10, 0.9)
    timeline.apply(batch(0, 500, Tempo(0, 60.0), Section(0, "dawn"), Tempo(50, 70.0), *ramps, later))
    events = timeline.snapshot(100).events
    assert set(events) == {Tempo(50, 70.0), Section(0, "dawn"), ramps[1], later}


def test_an_empty_score() -> None:
    snapshot = Timeline().snapshot(77)
    assert snapshot.events == ()
    assert (snapshot.from_frame, snapshot.until_frame) == (77, 77)


def test_the_past_is_forgotten() -> None:
    """Memory does not grow with the length of the piece."""
    timeline = Timeline()
    for start in range(0, 100_000, 100):
        timeline.apply(batch(start, start + 100, chord(start), note(start), revision=start))
        timeline.forget(start)
    assert len(timeline._events) <= 4
    assert len(timeline._starts) <= 100


def test_from_where_a_revision_is_heard() -> None:
    """The first batch that takes it into account determines this; later ones change nothing."""
    timeline = Timeline()
    timeline.apply(batch(0, 500, revision=0))
    assert timeline.revised_from(1) is None
    timeline.apply(batch(200, 500, Revise(200), revision=2))
    timeline.apply(batch(500, 600, revision=2))
    assert [timeline.revised_from(number) for number in (1, 2, 3)] == [200, 200, None]
