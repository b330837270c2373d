"""The versioned score: what each view shows, which version a chunk is rendered from, holds, forgetting."""

import time

import pytest

from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Automation, Batch, Chord, Event, Note, Revise, Section
from auralis.score.score import HOLD_PATCH, OPEN_END, Score, ScoreView


def entry(number: int) -> EntryId:
    return EntryId(number, 0)


def note(frame: int, number: int = 0, duration: int = 50) -> Note:
    return Note(
        at_frame=frame,
        id=number or frame,
        duration_frames=duration,
        pitch=60.0,
        velocity=0.5,
        patch="warm_pad",
        layer="pad",
    )


def chord(frame: int, *pitches: float) -> Chord:
    return Chord(at_frame=frame, duration_frames=100, root=0, quality="maj", degree="I", pitches=pitches)


def ramp(frame: int, frames: int, value: float) -> Automation:
    return Automation(at_frame=frame, parameter="intensity", ramp_frames=frames, value=value)


def revise(frame: int) -> tuple[Event, ...]:
    return (Revise(at_frame=frame),)


def score_of(*entries: tuple[int, int, int, tuple[Event, ...]]) -> Score:
    """A score of (id, from, until, events); the revision is the id."""
    score = Score()
    for number, start, end, events in entries:
        score.apply(entry(number), Batch(number, start, end, events))
    return score


def ids(view: ScoreView, start: int = 0, end: int = 10_000) -> list[int]:
    return [found.id for found in view.notes(start, end) if found.id >= 0]


def held(view: ScoreView, start: int, end: int) -> list[Note]:
    return [found for found in view.notes(start, end) if found.id < 0]


def test_an_empty_score_has_nothing() -> None:
    score = Score()
    assert (score.last_id, score.from_frame, score.until_frame, score.revision) == (NO_ENTRY, 0, 0, 0)
    assert score.version_for(10**9) == NO_ENTRY
    assert score.view().notes(0, 10**9) == []
    assert score.view().in_force(Chord, 10**9) is None


def test_entries_add_up() -> None:
    score = score_of((1, 100, 200, (note(150),)), (2, 200, 300, (note(200), note(250))))
    assert ids(score.view()) == [150, 200, 250]
    assert (score.last_id, score.from_frame, score.until_frame, score.revision) == (entry(2), 100, 300, 2)


def test_an_entry_is_applied_once() -> None:
    score = score_of((1, 100, 200, (note(150),)))
    score.apply(entry(1), Batch(9, 100, 200, (note(150),)))
    assert ids(score.view()) == [150]
    assert score.revision == 1


def test_revise_drops_what_has_not_started_and_keeps_what_has() -> None:
    score = score_of((1, 0, 300, (note(199, duration=100), note(200))), (2, 200, 300, revise(200)))
    assert ids(score.view()) == [199]


def test_an_older_view_still_shows_what_a_later_entry_dropped() -> None:
    score = score_of((1, 0, 300, (note(250),)), (2, 200, 300, (Revise(at_frame=200), note(260))))
    assert ids(score.view(entry(1))) == [250]
    assert ids(score.view(entry(2))) == [260]


def test_a_view_between_two_entries_is_that_of_the_earlier_one() -> None:
    score = score_of((1, 0, 100, (note(50),)), (5, 100, 200, (note(150),)))
    assert ids(score.view(entry(3))) == [50]
    assert score.revision_of(entry(3)) == 1


def test_a_view_gives_the_notes_that_sound_by_onset_and_id() -> None:
    score = score_of((1, 0, 300, (note(100, 2), note(100, 1), note(0, 3), note(149, 4), note(150, 5))))
    assert ids(score.view(), 50, 150) == [1, 2, 4]
    assert ids(score.view(), 49, 151) == [3, 1, 2, 4, 5]


def test_a_view_gives_the_notes_that_begin_by_onset_and_id() -> None:
    score = score_of((1, 0, 300, (note(100, 2), note(100, 1), note(0, 3), note(149, 4), note(150, 5))))
    assert [found.id for found in score.view().onsets(100, 150)] == [1, 2, 4]
    assert [found.id for found in score.view().onsets(101, 151)] == [4, 5]


@pytest.mark.parametrize(("end_frame", "version"), [(100, 0), (101, 1), (200, 1), (201, 2), (10**9, 2)])
def test_a_chunk_is_rendered_from_the_newest_entry_that_begins_before_its_end(
    end_frame: int, version: int
) -> None:
    score = score_of((1, 100, 200, ()), (2, 200, 300, ()))
    assert score.version_for(end_frame) == entry(version)


def test_the_version_of_a_chunk_can_be_asked_as_of_an_older_entry() -> None:
    score = score_of((1, 0, 300, ()), (2, 100, 300, revise(100)), (3, 50, 300, revise(50)))
    assert score.version_for(150) == entry(3)
    assert score.version_for(150, newest=entry(2)) == entry(2)
    assert score.version_for(100, newest=entry(2)) == entry(1)


def test_the_chord_in_force_is_the_last_one_that_has_begun() -> None:
    score = score_of((1, 0, 300, (chord(200, 62), chord(100, 60))))
    assert [score.view().in_force(Chord, frame) for frame in (99, 100, 199, 200, 9_999)] == [
        None,
        chord(100, 60),
        chord(100, 60),
        chord(200, 62),
        chord(200, 62),
    ]


def test_of_two_chords_at_one_frame_the_one_announced_last_is_in_force() -> None:
    score = score_of((1, 0, 100, (chord(0, 60), chord(0, 62))))
    assert score.view().in_force(Chord, 50) == chord(0, 62)
    assert [found.pitch for found in held(score.view(), 100, 101)] == [62]


def test_ramps_come_in_order_and_by_parameter() -> None:
    other = Automation(at_frame=50, parameter="brightness", ramp_frames=0, value=1.0)
    score = score_of((1, 0, 300, (ramp(200, 10, 0.2), other, ramp(100, 10, 0.1))))
    assert score.view().automation("intensity") == [ramp(100, 10, 0.1), ramp(200, 10, 0.2)]
    assert score.view().automation("brightness") == [other]


def test_a_score_that_runs_dry_holds_its_last_chord_without_end() -> None:
    score = score_of((1, 0, 100, (chord(0, 48, 60), chord(50, 50, 62))))
    found = held(score.view(), 100, 101)
    assert {(n.at_frame, n.duration_frames) for n in found} == {(100, OPEN_END)}
    assert {n.pitch for n in found} == {50, 62}
    assert held(score.view(), 10**9, 10**9 + 1) == found
    assert {n.patch for n in found} == {HOLD_PATCH}
    assert held(score.view(), 0, 100) == []


def test_a_score_that_goes_on_without_a_gap_holds_nothing_in_between() -> None:
    score = score_of((1, 0, 100, (chord(0, 60),)), (2, 100, 200, ()))
    assert held(score.view(), 0, 200) == []
    assert [n.at_frame for n in held(score.view(), 0, 201)] == [200]


def test_a_gap_closes_the_hold_and_keeps_its_ids_and_onset() -> None:
    """So a sounding voice continues: the only news is when it is released."""
    score = score_of((1, 0, 100, (chord(0, 60, 64),)), (2, 180, 300, (note(180),)))
    open_hold, closed = held(score.view(entry(1)), 100, 180), held(score.view(entry(2)), 100, 180)
    assert [(n.id, n.at_frame, n.pitch) for n in closed] == [(n.id, n.at_frame, n.pitch) for n in open_hold]
    assert {n.release_frame for n in closed} == {180}


def test_the_chunks_before_a_gap_is_closed_are_not_rendered_anew() -> None:
    score = score_of((1, 0, 100, (chord(0, 60),)), (2, 180, 300, ()))
    assert score.version_for(180) == entry(1)
    assert score.version_for(181) == entry(2)


def test_a_revision_within_a_gap_closes_the_hold_where_it_begins() -> None:
    score = score_of((1, 0, 100, (chord(0, 60),)), (2, 150, 300, revise(150)))
    assert {n.release_frame for n in held(score.view(), 100, 150)} == {150}
    assert held(score.view(), 150, 300) == []


def test_a_revision_before_the_end_withdraws_the_hold() -> None:
    score = score_of((1, 0, 100, (chord(0, 60),)), (2, 50, 80, revise(50)))
    assert [n.at_frame for n in held(score.view(), 0, 10_000)] == [80]
    assert [n.at_frame for n in held(score.view(entry(1)), 0, 10_000)] == [100]


def test_the_hold_is_of_the_chord_that_a_revision_left_in_force() -> None:
    score = score_of((1, 0, 100, (chord(0, 60), chord(60, 70))), (2, 50, 100, revise(50)))
    assert [n.pitch for n in held(score.view(), 100, 101)] == [60]


def test_without_a_chord_there_is_nothing_to_hold() -> None:
    assert score_of((1, 0, 100, (note(0), Section(at_frame=0, name="a")))).view().notes(60, 999) == []


def test_two_holds_never_share_an_id() -> None:
    score = score_of((1, 0, 100, (chord(0, 60, 64, 67),)), (2, 150, 200, ()), (3, 250, 300, ()))
    found = held(score.view(), 0, 10_000)
    assert len({n.id for n in found}) == len(found) == 9


def test_what_was_played_is_forgotten() -> None:
    seconds = range(100, 5_000, 100)
    score = score_of(*[(at // 100, at, at + 100, (note(at), chord(at, 60))) for at in seconds])
    score.forget(before_frame=4_849, oldest=entry(47))
    assert ids(score.view()) == [4_800, 4_900]
    assert score.version_for(4_700 + 1) == entry(47)
    assert score.from_frame == 4_700
    assert score.view().in_force(Chord, 4_850) == chord(4_800, 60)


def test_what_a_long_silent_score_holds_is_never_forgotten() -> None:
    score = score_of((1, 0, 100, (chord(0, 60),)))
    for frame in (10_000, 20_000):
        score.forget(frame, entry(1))
    assert [n.pitch for n in held(score.view(), 20_000, 20_001)] == [60]
    score.apply(entry(2), Batch(0, 30_000, 30_100, ()))
    assert {n.release_frame for n in held(score.view(), 20_000, 30_000)} == {30_000}
    assert [n.pitch for n in held(score.view(), 30_100, 30_101)] == [60]


def test_the_newest_entry_is_never_forgotten() -> None:
    """Otherwise it would be applied again when the log is read on from the last id."""
    score = score_of((1, 0, 1_000, ()), (2, 200, 300, revise(200)))
    score.forget(before_frame=400, oldest=entry(9))
    assert score.last_id == entry(2)


def test_a_ramp_that_was_interrupted_needs_the_one_before_it() -> None:
    ramps = (ramp(0, 0, 1.0), ramp(100, 100, 0.0), ramp(150, 1_000, 0.8))
    score = score_of((1, 0, 2_000, ramps))
    score.forget(before_frame=500, oldest=entry(1))
    assert tuple(score.view().automation("intensity")) == ramps


def test_an_hour_of_log_is_applied_while_the_ring_lasts() -> None:
    """A worker that takes over reads the whole log before it can render."""
    beats = []
    for frame in range(0, 3_600 * 44_100, 44_100):
        notes = (note(frame, frame + number) for number in range(8))
        beats.append(Batch(0, frame, frame + 44_100, (chord(frame, 60), *notes)))
    score = Score()
    started = time.process_time()
    for number, batch in enumerate(beats, 1):
        score.apply(entry(number), batch)
    assert time.process_time() - started < 1.0


def test_marks_are_those_of_a_stretch_after_the_one_in_force() -> None:
    """Ordered by onset, of one kind, as each version has them."""
    score = score_of(
        (1, 0, 500, (Section(0, "dawn"), chord(0, 60.0), chord(100, 62.0), chord(300, 64.0))),
        (2, 250, 500, (*revise(250), Section(250, "drift"), chord(400, 65.0))),
    )
    newest, older = score.view(), score.view(entry(1))
    assert [c.pitches for c in newest.marks(Chord, 150, 401)] == [(62.0,), (65.0,)]
    assert [c.pitches for c in newest.marks(Chord, 100, 400)] == [(60.0,), (62.0,)]
    assert [c.pitches for c in older.marks(Chord, 150, 401)] == [(62.0,), (64.0,)]
    assert [s.name for s in newest.marks(Section, 0, 500)] == ["dawn", "drift"]
    assert [s.name for s in older.marks(Section, 0, 500)] == ["dawn"]
    assert newest.marks(Section, 0, 0) == []


def test_the_section_in_force_is_not_forgotten() -> None:
    """Earlier ones are forgotten."""
    score = score_of((1, 0, 500, (Section(0, "dawn"), Section(100, "drift"), Section(400, "bloom"))))
    score.forget(300, entry(1))
    assert [s.name for s in score.view().marks(Section, 300, 500)] == ["drift", "bloom"]
    assert [s.name for s in score.view().marks(Section, 50, 500)] == ["drift", "bloom"]
