"""Plans: whatever happens to one, its readers see a score that is whole and obeys the rules."""

from itertools import pairwise

import msgspec
import pytest

from auralis.controls import Controls
from auralis.errors import ProtocolError
from auralis.score.events import Automation, Chord, Note, Revise, Space, Tempo, check_batch
from services.composer import plan as planning
from services.composer.engine import compose_beat
from services.composer.plan import (
    begin,
    decode_plan,
    encode_plan,
    extend,
    forget,
    resume,
    revise,
    with_quality,
)
from tests.unit.composer.pieces import FORMAT, SECOND, START, rest


def started(seconds=8, controls=None, seed=1):
    """A plan after its first announcement, and the batch announced."""
    return extend(begin(seed, START, controls or Controls(), 0), START + seconds * SECOND, FORMAT)


def test_a_plan_begins_with_nothing_announced():
    plan = begin(3, START, Controls(), 5)
    assert (plan.until_frame, plan.revision, plan.announced) == (START, 5, ())


def test_extending_announces_whole_beats_to_the_frame_or_a_little_later():
    plan, batch = started(8)
    assert batch.from_frame == START
    assert START + 8 * SECOND <= batch.until_frame == plan.until_frame < START + 9 * SECOND
    assert [state.frame for state in plan.snapshots] == [START + beat * SECOND for beat in range(9)]


def test_extending_to_what_is_announced_already_says_nothing():
    plan, _ = started()
    again, batch = extend(plan, START + SECOND, FORMAT)
    assert again == plan
    assert batch.events == ()
    assert batch.from_frame == batch.until_frame == plan.until_frame


def test_extending_in_steps_or_at_once_is_the_same():
    plan, batch = started(30)
    stepwise, events = begin(1, START, Controls(), 0), ()
    while stepwise.until_frame < plan.until_frame:
        stepwise, step = extend(stepwise, stepwise.until_frame + 1, FORMAT)
        events += step.events
    assert stepwise == plan
    assert events == batch.events


@pytest.mark.parametrize(
    "floor", [START, START + 1, START + 100_000, START + 3 * SECOND, START + 8 * SECOND - 1]
)
def test_a_revision_that_changes_no_control_changes_no_event(floor):
    plan, before = started()
    revised, batch = revise(plan, floor, plan.controls, 1, FORMAT)
    assert batch.events[0] == Revise(floor)
    assert rest(batch.events[1:], floor)[: len(rest(before.events, floor))] == rest(before.events, floor)
    assert revised.announced[: len(plan.announced)] == plan.announced
    assert extend(revised, START + 20 * SECOND, FORMAT)[0].announced == (
        extend(plan, START + 20 * SECOND, FORMAT)[0].announced
    )


def test_what_was_announced_up_to_the_next_beat_is_said_again():
    plan, before = started()
    floor = START + 1000  # right after the first chord; its notes are still to come
    _, batch = revise(plan, floor, Controls(key="E major"), 1, FORMAT)
    kept = [event for event in before.events if floor <= event.at_frame < START + SECOND]
    assert kept
    assert list(batch.events[1 : 1 + len(kept)]) == kept


@pytest.mark.parametrize("floor", [START + 70_000, START + 3 * SECOND])
def test_a_change_of_intensity_is_heard_from_the_floor_on_and_said_once(floor):
    plan, _ = started()
    revised, batch = revise(plan, floor, Controls(intensity=0.9), 1, FORMAT)
    ramps = [event for event in batch.events if isinstance(event, Automation)]
    assert ramps == [Automation(floor, "intensity", SECOND // 4, 0.9)]
    assert ramps[0] in revise(revised, floor, revised.controls, 2, FORMAT)[1].events


@pytest.mark.parametrize("floor", [START + 70_000, START + 3 * SECOND])
@pytest.mark.parametrize("name", ["brightness", "level_pad", "level_percussion"])
def test_a_share_that_is_turned_is_heard_from_the_floor_on_and_said_once(name, floor):
    plan, _ = started()
    revised, batch = revise(plan, floor, Controls(**{name: 0.25}), 1, FORMAT)
    (ramp,) = (event for event in batch.events if isinstance(event, Automation))
    assert ramp == Automation(floor, name, SECOND // 4, 0.25)
    assert ramp in revise(revised, floor, revised.controls, 2, FORMAT)[1].events


def test_a_share_alone_changes_nothing_else():
    """A listener who mutes a layer still hears the same music, minus that layer."""
    plan, before = started()
    floor = START + 70_000
    _, batch = revise(plan, floor, Controls(level_pad=0.0, brightness=0.9), 1, FORMAT)
    others = [event for event in batch.events[1:] if not isinstance(event, Automation)]
    assert tuple(others)[: len(rest(before.events, floor))] == rest(before.events, floor)


def spaces_of(events):
    return [(event.at_frame, event.room) for event in events if isinstance(event, Space)]


@pytest.mark.parametrize("floor", [START + 70_000, START + 3 * SECOND])
def test_a_room_is_entered_from_the_floor_on(floor):
    plan, _ = started()
    plan, batch = revise(plan, floor, Controls(room="plate"), 1, FORMAT)
    assert spaces_of(batch.events) == [(floor, "plate")]
    assert spaces_of(revise(plan, floor, plan.controls, 2, FORMAT)[1].events) == [(floor, "plate")]


def test_a_room_that_nobody_has_entered_yet_gives_way_to_another_one():
    plan, _ = started()
    floor = START + 70_000
    for room in ("plate", "none", "cathedral"):
        plan, batch = revise(plan, floor, Controls(room=room), 1, FORMAT)
        assert spaces_of(batch.events) == [(floor, room)]


def test_shares_and_room_are_said_again_every_minute():
    plan, _ = started(controls=Controls(brightness=0.2, level_bells=0.0, room="plate"))
    _, batch = extend(plan, START + 200 * SECOND, FORMAT)
    for kind in ("brightness", "level_bells", "room"):
        frames = [
            event.at_frame
            for event in batch.events
            if isinstance(event, Space if kind == "room" else Automation)
            and kind in ("room", getattr(event, "parameter", None))
        ]
        assert len(frames) >= 2
        assert all(b - a < 70 * SECOND for a, b in pairwise([START, *frames]))


def test_what_is_as_a_reader_assumes_is_not_said():
    _, batch = started(200)
    assert {event.parameter for event in batch.events if isinstance(event, Automation)} == {"intensity"}
    assert spaces_of(batch.events) == []


def test_a_second_change_of_intensity_takes_the_place_of_the_first():
    plan, _ = started()
    floor = START + 70_000
    plan, _ = revise(plan, floor, Controls(intensity=0.9), 1, FORMAT)
    for later in (floor, floor + 2000):
        _, batch = revise(plan, later, Controls(intensity=0.1), 2, FORMAT)
        assert [e.value for e in batch.events if isinstance(e, Automation)] == [0.1]


def test_a_change_that_follows_an_unheard_one_keeps_it():
    plan, _ = started()
    floor = START + 70_000
    plan, _ = revise(plan, floor, Controls(intensity=0.9), 1, FORMAT)
    _, batch = revise(plan, floor, Controls(intensity=0.9, bpm=80.0), 2, FORMAT)
    assert [e.value for e in batch.events if isinstance(e, Automation)] == [0.9]


def qualities_of(events):
    return [(e.at_frame, e.value) for e in events if isinstance(e, Automation) and e.parameter == "quality"]


@pytest.mark.parametrize("floor", [START + 70_000, START + 3 * SECOND])
def test_a_quality_is_said_once_and_changes_nothing_else(floor):
    plan, before = started()
    lowered, batch = revise(with_quality(plan, floor, 0.5), floor, plan.controls, 0, FORMAT)
    check_batch(batch)
    assert qualities_of(batch.events) == [(floor, 0.5)]
    others = tuple(event for event in batch.events[1:] if not qualities_of([event]))
    assert others[: len(rest(before.events, floor))] == rest(before.events, floor)
    assert qualities_of(extend(lowered, START + 20 * SECOND, FORMAT)[1].events) == []


@pytest.mark.parametrize(("mark", "later"), [(70_000, 70_000), (70_000, 60_000), (3 * SECOND, 1000)])
def test_a_quality_that_a_revision_drops_is_said_again(mark, later):
    plan, _ = started()
    plan, _ = revise(with_quality(plan, START + mark, 0.5), START + mark, plan.controls, 0, FORMAT)
    _, batch = revise(plan, START + later, Controls(intensity=0.9), 1, FORMAT)
    assert qualities_of(batch.events) == [(START + mark, 0.5)]


def test_a_second_quality_takes_the_place_of_one_that_is_not_heard_yet():
    plan, _ = started()
    floor = START + 70_000
    for value in (0.5, 0.25, 1.0):
        plan, batch = revise(with_quality(plan, floor, value), floor, plan.controls, 0, FORMAT)
        assert qualities_of(batch.events) == [(floor, value)]


def test_a_reduced_quality_is_said_again_every_minute_and_a_whole_one_never():
    plan, _ = started()
    floor = START + 70_000
    plan, _ = revise(with_quality(plan, floor, 0.5), floor, plan.controls, 0, FORMAT)
    plan, batch = extend(forget(plan, plan.until_frame), START + 200 * SECOND, FORMAT)
    frames = [frame for frame, value in qualities_of(batch.events) if value == 0.5]
    assert len(frames) == 3
    assert all(b - a < 70 * SECOND for a, b in pairwise([floor, *frames]))
    plan = with_quality(plan, plan.until_frame, 1.0)
    plan, batch = revise(plan, plan.until_frame, plan.controls, 0, FORMAT)
    assert qualities_of(batch.events) == [(batch.from_frame, 1.0)]
    plan = forget(plan, plan.until_frame)
    assert qualities_of(extend(plan, START + 400 * SECOND, FORMAT)[1].events) == []
    assert len(plan.qualities) == 1


def test_after_an_absence_a_reduced_quality_is_said_again():
    plan, _ = started()
    floor = START + 70_000
    plan, _ = revise(with_quality(plan, floor, 0.5), floor, plan.controls, 0, FORMAT)
    away = plan.until_frame + 30 * SECOND
    assert qualities_of(resume(plan, away, FORMAT)[1].events) == [(away, 0.5)]


def test_several_controls_change_in_one_revision():
    plan, _ = started()
    floor = START + 2 * SECOND + 5
    controls = Controls(key="D major", bpm=100.0, intensity=0.8)
    revised, batch = revise(plan, floor, controls, 4, FORMAT)
    assert (revised.revision, batch.revision) == (4, 4)
    assert [event.bpm for event in batch.events if isinstance(event, Tempo)][3] == 100.0
    assert [event.value for event in batch.events if isinstance(event, Automation)] == [0.8]
    chords = [event.at_frame for event in batch.events if isinstance(event, Chord)]
    bar = next(state for state in revised.snapshots if state.frame >= floor and state.on_bar)
    assert chords[0] == bar.frame
    assert revised.until_frame >= plan.until_frame


@pytest.mark.parametrize("beyond", [0, 1, 500_000])
def test_a_revision_at_or_past_the_horizon_goes_on_from_its_floor(beyond):
    plan, _ = started()
    floor = plan.until_frame + beyond
    revised, batch = revise(plan, floor, Controls(key="C major"), 1, FORMAT)
    check_batch(batch)
    assert batch.from_frame == floor
    assert revised.until_frame > floor
    assert [event for event in batch.events if isinstance(event, Note)]


def test_a_change_before_the_piece_begins_is_heard_from_its_beginning():
    plan, _ = started()
    revised, batch = revise(plan, START - 5000, Controls(intensity=1.0), 1, FORMAT)
    check_batch(batch)
    assert revised.snapshots[0].frame == START
    assert next(event for event in batch.events if isinstance(event, Chord)).at_frame == START


def test_a_composer_that_was_away_goes_on_with_a_new_chord():
    plan, _ = started()
    floor = plan.until_frame + 10 * SECOND + 7
    plan, batch = resume(plan, floor, FORMAT)
    assert batch.from_frame == floor
    assert not batch.revises
    assert {"drone", "pad"} <= {event.layer for event in batch.events if isinstance(event, Note)}
    assert any(isinstance(event, Chord) and event.at_frame == floor for event in batch.events)


@pytest.mark.parametrize("late", [1, 4410, 500 * SECOND])
def test_a_piece_that_is_late_for_its_beginning_begins_as_if_it_had_been_meant_to(late):
    """The log alone says what was played: a first entry that it refused leaves no trace."""
    refused, _ = started(seconds=0)
    meant = begin(1, START + late, Controls(), 0)
    assert resume(refused, START + late, FORMAT) == extend(meant, START + late + 1, FORMAT)


def test_what_is_forgotten_cannot_be_revised():
    plan = forget(started()[0], START + 4 * SECOND + 9)
    assert plan.snapshots[0].frame == START + 4 * SECOND
    assert all(event.at_frame >= START + 4 * SECOND for event in plan.announced)
    with pytest.raises(ValueError, match="expected 188745 or later"):
        revise(plan, START + SECOND, Controls(key="C major"), 1, FORMAT)


def test_forgetting_does_not_change_what_a_revision_says():
    plan, _ = started()
    floor = START + 4 * SECOND + 9
    controls = Controls(key="G major", intensity=0.2)
    assert (
        revise(forget(plan, floor), floor, controls, 1, FORMAT)[1]
        == revise(plan, floor, controls, 1, FORMAT)[1]
    )


def test_a_checkpoint_of_eight_seconds_is_small():
    plan, _ = started(8, Controls(bpm=120.0, intensity=1.0))
    assert len(encode_plan(plan)) < 20_000


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode({"seed": "x"})])
def test_bytes_that_are_no_plan_are_refused(data):
    with pytest.raises(ProtocolError, match="composer checkpoint"):
        decode_plan(data)


def test_a_plan_of_another_version_is_refused():
    plan = msgspec.to_builtins(started(1)[0]) | {"v": 2}
    with pytest.raises(ProtocolError, match="composer checkpoint"):
        decode_plan(msgspec.msgpack.encode(plan))


def test_what_breaks_a_rule_is_not_announced_and_named_once(monkeypatch):
    def careless(state, controls, fmt):
        events, after = compose_beat(state, controls, fmt)
        outside = next(tone for tone in range(60, 72) if tone % 12 not in after.chord.scale)
        wrong = Note(state.frame, -state.frame, 100, float(outside), 0.5, "warm_pad", "pad")
        return (*events[:1], wrong, *events[1:]) if state.beat == 2 else events, after

    _, before = started(4)
    monkeypatch.setattr(planning, "compose_beat", careless)
    plan, batch = started(4)
    assert plan.rejected == ("tone",)
    assert batch == before
    assert extend(plan, START + 6 * SECOND, FORMAT)[0].rejected == ()
