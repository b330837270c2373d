"""The versioned score against a naive one that is rebuilt from the beginning of the log each time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Automation, Batch, Chord, Event, Note, Revise
from auralis.score.score import HOLD_PATCH, HOLD_VELOCITY, OPEN_END, Score, ScoreView

# Small, so that onsets, ends and holes often coincide.
LAST = 120
PROBES = range(0, LAST + 60, 11)


class Logged(NamedTuple):
    id: EntryId
    batch: Batch


Log = Sequence[Logged]


class Naive:
    """The score of a log's prefix, by the rules as they are written down and nothing else."""

    def __init__(self, log: Log) -> None:
        self.events: list[Event] = []
        until = 0
        for index, (_, batch) in enumerate(log):
            if batch.revises:
                self.events = [event for event in self.events if event.at_frame < batch.from_frame]
            if index and batch.from_frame > until:
                self.events += self._hold(until, batch.from_frame - until)
            self.events += batch.events
            until = batch.until_frame
        if log:
            self.events += self._hold(until, OPEN_END)

    def chord_at(self, frame: int) -> Chord | None:
        found: Chord | None = None
        for event in self.events:
            if (
                isinstance(event, Chord)
                and event.at_frame <= frame
                and (found is None or event.at_frame >= found.at_frame)
            ):
                found = event
        return found

    def notes(self, start: int, end: int) -> list[Note]:
        found = [
            e for e in self.events if isinstance(e, Note) and e.at_frame < end and e.release_frame > start
        ]
        return sorted(found, key=lambda note: (note.at_frame, note.id))

    def intensity(self, frame: int) -> float:
        ramps = [event for event in self.events if isinstance(event, Automation)]
        return value_of(sorted(ramps, key=lambda ramp: ramp.at_frame), frame)

    def _hold(self, frame: int, duration: int) -> list[Note]:
        chord = self.chord_at(frame)
        return [
            Note(
                at_frame=frame,
                id=-(frame * 16 + index + 1),
                duration_frames=duration,
                pitch=pitch,
                velocity=HOLD_VELOCITY,
                patch=HOLD_PATCH,
                layer="pad",
            )
            for index, pitch in enumerate(chord.pitches if chord else ())
        ]


def value_of(ramps: Sequence[Automation], frame: int) -> float:
    """The value of a parameter at ``frame``: each ramp starts from where the ones before it have got to."""
    value = 0.5
    for index, ramp in enumerate(ramps):
        if ramp.at_frame > frame:
            break
        stop = min(frame, ramps[index + 1].at_frame) if index + 1 < len(ramps) else frame
        moved = 1.0 if ramp.at_frame + ramp.ramp_frames <= stop else (stop - ramp.at_frame) / ramp.ramp_frames
        value += (ramp.value - value) * moved
    return round(value, 9)


@st.composite
def batches(draw: st.DrawFn, number: int, start: int, revises: bool) -> Batch:
    length = draw(st.integers(0 if revises else 1, 30))
    frames = st.integers(start, start + max(length - 1, 0))
    note = st.builds(
        Note,
        at_frame=frames,
        id=st.integers(0, 50),
        duration_frames=st.integers(1, 40),
        pitch=st.just(60.0),
        velocity=st.just(0.5),
        patch=st.just("bell"),
        layer=st.just("bells"),
    )
    chord = st.builds(
        Chord,
        at_frame=frames,
        duration_frames=st.just(10),
        root=st.just(0),
        quality=st.just(""),
        degree=st.just(""),
        pitches=st.lists(st.integers(40, 80).map(float), min_size=1, max_size=3).map(tuple),
    )
    ramp = st.builds(
        Automation,
        at_frame=frames,
        parameter=st.just("intensity"),
        ramp_frames=st.integers(0, 30),
        value=st.sampled_from((0.0, 0.25, 1.0)),
    )
    events = draw(st.lists(st.one_of(note, chord, ramp), max_size=5)) if length else []
    revise: list[Event] = [Revise(at_frame=start)] if revises else []
    return Batch(number, start, start + length, (*revise, *events))


@st.composite
def logs(draw: st.DrawFn, after: Log = (), floor: int = 0, size: int = 7) -> list[Logged]:
    """Entries that a composer may append after ``after``: continuing, after a gap, or revising."""
    log = list(after)
    for _ in range(draw(st.integers(0, size))):
        until = log[-1].batch.until_frame if log else 0
        kind = draw(st.sampled_from(("on", "on", "gap", "revise")))
        start = {
            "on": until,
            "gap": until + draw(st.integers(1, 20)),
            "revise": draw(st.integers(0, until + 10)),
        }[kind]
        start = max(start, floor)
        number = log[-1].id.ms + draw(st.integers(1, 3)) if log else 1
        log.append(Logged(EntryId(number, 0), draw(batches(number, start, kind == "revise"))))
    return log


def applied(log: Log) -> Score:
    score = Score()
    for logged in log:
        score.apply(*logged)
    return score


def seen(score: Score, version: EntryId, since: int = 0) -> list[object]:
    """Everything that a renderer asks of one version at or after ``since``."""
    view = score.view(version)
    ramps = view.automation("intensity")
    frames = [frame for frame in PROBES if frame >= since]
    return [
        [view.notes(frame, frame + 11) for frame in frames],
        [view.in_force(Chord, frame) for frame in frames],
        [value_of(ramps, frame) for frame in frames],
        score.revision_of(version),
    ]


def expected(log: Log, since: int = 0) -> list[object]:
    naive = Naive(log)
    frames = [frame for frame in PROBES if frame >= since]
    return [
        [naive.notes(frame, frame + 11) for frame in frames],
        [naive.chord_at(frame) for frame in frames],
        [naive.intensity(frame) for frame in frames],
        log[-1].batch.revision if log else 0,
    ]


def canonical(log: Log, end_frame: int) -> EntryId:
    return next((e.id for e in reversed(log) if e.batch.from_frame < end_frame), NO_ENTRY)


def sounding(view: ScoreView, start: int, end: int) -> list[tuple[int, int, int]]:
    """What can be heard of the notes before ``end``: a gate that closes later is still open."""
    return [(note.id, note.at_frame, min(note.release_frame, end)) for note in view.notes(start, end)]


@given(logs())
@settings(max_examples=60)
def test_every_view_is_the_score_of_the_logs_prefix(log: list[Logged]) -> None:
    """So a view of an older version is not changed by anything that is applied later."""
    score = applied(log)
    for length in range(len(log) + 1):
        version = log[length - 1].id if length else NO_ENTRY
        assert seen(score, version) == expected(log[:length])


@given(logs())
@settings(max_examples=40)
def test_the_canonical_version_is_the_newest_that_begins_before_the_chunks_end(log: list[Logged]) -> None:
    score = applied(log)
    for end_frame in PROBES:
        assert score.version_for(end_frame) == canonical(log, end_frame)
        for length in range(1, len(log) + 1):
            known = log[:length]
            assert score.version_for(end_frame, newest=known[-1].id) == canonical(known, end_frame)


@given(logs())
@settings(max_examples=40)
def test_a_chunk_sounds_the_same_from_its_canonical_version_as_from_the_newest(log: list[Logged]) -> None:
    """Entries that begin after a chunk do not affect it, so it need not be rendered again."""
    score = applied(log)
    for start, end in pairwise(PROBES):
        if (version := score.version_for(end)) == NO_ENTRY:
            continue
        old, new = score.view(version), score.view()
        sounding = [
            [(n.id, n.at_frame, min(n.release_frame, end)) for n in v.notes(start, end)] for v in (old, new)
        ]
        assert sounding[0] == sounding[1]
        assert old.in_force(Chord, end - 1) == new.in_force(Chord, end - 1)
        ramps = [v.automation("intensity") for v in (old, new)]
        assert value_of(ramps[0], end - 1) == value_of(ramps[1], end - 1)


@given(st.data())
@settings(max_examples=60)
def test_forgetting_changes_nothing_that_is_still_to_come(data: st.DataObject) -> None:
    log = data.draw(logs().filter(bool))
    before = data.draw(st.integers(0, LAST))
    oldest = data.draw(st.sampled_from([e.id for e in log]))
    later = data.draw(logs(after=log, floor=before, size=3))
    score = applied(log)
    score.forget(before, oldest)
    for logged in later:
        score.apply(*logged)
    if data.draw(st.booleans()):
        score.forget(before, oldest)
    for length in range(1, len(later) + 1):
        if later[length - 1].id >= oldest:
            assert seen(score, later[length - 1].id, before) == expected(later[:length], before)
    for end_frame in PROBES:
        if end_frame > before and (version := canonical(later, end_frame)) >= oldest:
            assert score.version_for(end_frame) == version
