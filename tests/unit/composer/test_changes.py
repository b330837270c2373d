"""Whatever listeners change while it plays: the rules hold, the past stays, and the horizon is never short.

The clock runs as in the service: every change lands on the first frame that may still be revised, and the
score is then extended to its horizon.
"""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auralis.controls import ROOMS, Controls
from auralis.keys import KEY_NAMES, parse_key
from auralis.score.events import Note, check_batch
from auralis.timing import GUARD_US, HORIZON_US, LEAD_US
from services.composer.plan import begin, extend, forget, revise
from services.composer.rules import RANGES
from services.composer.scale import scale_of
from tests.unit.composer.pieces import FORMAT, unhurried

RATE = FORMAT.sample_rate_hz
HORIZON = HORIZON_US * RATE // 1_000_000
FROZEN = (GUARD_US + LEAD_US) * RATE // 1_000_000
LEAST = 4 * RATE

changes = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(KEY_NAMES),
        "bpm": st.sampled_from([40.0, 55.0, 60.0, 87.5, 120.0]),
        "intensity": st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]),
        "mood": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        "brightness": st.sampled_from([0.0, 0.5, 1.0]),
        "room": st.sampled_from(ROOMS),
        "level_melody": st.sampled_from([0.0, 0.5, 1.0]),
    },
)
keys = st.sampled_from(KEY_NAMES)
turns = st.lists(st.tuples(st.integers(0, 12 * RATE), changes), min_size=1, max_size=12)


class Playing:
    """A plan as a composer keeps it, and the score as its readers have it."""

    def __init__(self, seed, controls):
        self.now = 0
        self.plan = begin(seed, 0, controls, 0)
        self.score = []
        self.states = []
        self.keys = [controls.key]
        self.extend()

    def read(self, plan, batch, floor):
        check_batch(batch)
        assert plan.rejected == ()
        assert all(event.at_frame >= floor for event in batch.events)
        if batch.revises:
            self.score = [event for event in self.score if event.at_frame < floor]
        self.score += batch.events
        self.plan = plan

    def extend(self):
        self.read(*extend(self.plan, self.now + HORIZON, FORMAT), self.plan.until_frame)

    def turn(self, later, change):
        """Time passes in quarter-second steps, as in the service; then a control is changed."""
        for _ in range(later * 4 // RATE):
            self.now += RATE // 4
            self.extend()
        floor = self.now + FROZEN
        controls = replace(self.plan.controls, **change)
        self.keys.append(controls.key)
        self.remember(floor)
        self.read(*revise(self.plan, floor, controls, self.plan.revision + 1, FORMAT), floor)
        self.extend()
        self.plan = forget(self.plan, floor)

    def remember(self, until):
        """Record the states that no later change revises."""
        known = self.states[-1].frame if self.states else -1
        self.states += [s for s in self.plan.snapshots if known < s.frame < until]

    def begun(self, begin, end):
        """The notes that begin in ``[begin, end)``."""
        return [e for e in self.score if isinstance(e, Note) and begin <= e.at_frame < end]

    def hushed_after(self, note):
        """Whether a new key cut the melody short after ``note``, or the score ends there."""
        rest = [state for state in self.states if state.frame >= note.at_frame]
        return len({state.goal for state in rest[:24]}) > 1 or len(rest) < 24

    @property
    def beats(self):
        self.remember(1 << 60)
        return list(pairwise(self.states))


def played(seed, controls, turned):
    playing = Playing(seed, controls)
    for later, change in turned:
        playing.turn(later, change)
        assert playing.plan.until_frame - playing.now >= LEAST
    return playing


@settings(unhurried, max_examples=60)
@given(st.integers(0, 2**40), turns)
def test_no_change_brings_an_event_before_its_floor_a_broken_rule_or_a_short_horizon(seed, turned):
    playing = played(seed, Controls(), turned)
    for event in playing.score:
        if isinstance(event, Note):
            low, high = RANGES[event.layer]
            assert low <= event.pitch <= high
            assert event.duration_frames < 130 * RATE


@settings(unhurried, max_examples=60)
@given(st.integers(0, 2**40), st.sampled_from(KEY_NAMES), turns)
def test_every_note_belongs_to_the_chord_of_its_beat_or_passes_by_step(seed, key, turned):
    playing = played(seed, Controls(key=key), turned)
    melody = [event for event in playing.score if isinstance(event, Note) and event.layer == "melody"]
    following = {note.id: after for note, after in pairwise(melody)}
    for before, after in playing.beats:
        tones = {*after.chord.tones, *after.chord.scale, parse_key(after.chord.key).tonic}
        for note in playing.begun(before.frame, after.frame):
            if note.layer == "percussion" or note.pitch % 12 in tones:
                continue
            assert note.layer == "melody"
            near = note.id in following and 1 <= abs(note.pitch - following[note.id].pitch) <= 2
            assert near or playing.hushed_after(note)


@settings(unhurried, max_examples=60)
@given(st.integers(0, 2**40), keys, keys, st.integers(0, 20 * RATE))
def test_on_the_way_to_a_new_key_nothing_begins_that_fits_neither(seed, old, new, later):
    playing = Playing(seed, Controls(key=old))
    playing.turn(later, {"key": new})
    for _ in range(60):
        playing.now += RATE
        playing.extend()
    both = {*scale_of(parse_key(old)), *scale_of(parse_key(new))}
    for before, after in playing.beats:
        if after.chord.key == new and not after.way:
            break
        tones = both | set(after.chord.scale)
        for note in playing.begun(before.frame, after.frame):
            assert note.pitch % 12 in tones or note.layer in ("percussion", "melody")
    else:
        raise AssertionError("the new key never came")
