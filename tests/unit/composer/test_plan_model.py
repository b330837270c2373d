"""A plan under random sequences of everything a composer does, and the score that its readers see."""

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from auralis.controls import ROOMS, Controls
from auralis.keys import KEY_NAMES
from auralis.score.events import Automation, Note, Revise, Space, check_batch
from services.composer.marks import room_of
from services.composer.plan import (
    Plan,
    begin,
    decode_plan,
    encode_plan,
    extend,
    forget,
    resume,
    revise,
    with_quality,
)
from tests.unit.composer.pieces import FORMAT, SECOND, START, rest, unhurried

controls = st.builds(
    Controls,
    key=st.sampled_from(KEY_NAMES),
    bpm=st.sampled_from([40.0, 60.0, 61.5, 90.0, 120.0]),
    intensity=st.sampled_from([0.0, 0.33, 0.5, 1.0]),
    mood=st.sampled_from([0.0, 0.5, 1.0]),
    brightness=st.sampled_from([0.0, 0.5, 0.8]),
    room=st.sampled_from(ROOMS),
    level_pad=st.sampled_from([0.0, 0.4, 1.0]),
    level_percussion=st.sampled_from([0.0, 1.0]),
)


class Session(RuleBasedStateMachine):
    """A plan under a random sequence of everything a composer does, and the score its readers see."""

    @initialize(seed=st.integers(0, 2**40), controls=controls)
    def open(self, seed, controls):
        self.plan = begin(seed, START, controls, 0)
        self.floor = START
        self.score = []
        self.away = []
        self.keys = {controls.key}
        self.quality = 1.0

    def read(self, plan, batch, from_frame):
        """Apply a batch as the score's readers do."""
        check_batch(batch)
        assert batch.from_frame == from_frame
        assert batch.until_frame == plan.until_frame >= self.plan.until_frame
        assert all(a.at_frame <= b.at_frame for a, b in pairwise(batch.events))
        if batch.revises:
            self.score = [event for event in self.score if event.at_frame < batch.from_frame]
        self.score += [event for event in batch.events if not isinstance(event, Revise)]
        self.plan = plan

    @rule(seconds=st.integers(0, 12))
    def extend(self, seconds):
        self.read(*extend(self.plan, self.floor + seconds * SECOND, FORMAT), self.plan.until_frame)

    @rule(later=st.integers(0, 3 * SECOND), controls=controls)
    def revise(self, later, controls):
        self.advance(later)
        self.keys.add(controls.key)
        self.read(*revise(self.plan, self.floor, controls, self.plan.revision + 1, FORMAT), self.floor)

    @rule(later=st.integers(0, 2 * SECOND))
    def revise_without_a_change(self, later):
        self.advance(later)
        before = rest(self.score, self.floor)
        plan, batch = revise(self.plan, self.floor, self.plan.controls, self.plan.revision, FORMAT)
        assert batch.events[1 : 1 + len(before)] == before
        self.read(plan, batch, self.floor)

    @rule(later=st.integers(0, 2 * SECOND), quality=st.sampled_from([0.0, 0.5, 1.0]))
    def change_quality(self, later, quality):
        self.advance(later)
        plan = with_quality(self.plan, self.floor, quality)
        self.read(*revise(plan, self.floor, plan.controls, self.plan.revision, FORMAT), self.floor)
        self.quality = quality

    @rule(later=st.integers(1, 20 * SECOND))
    def resume(self, later):
        self.advance(self.plan.until_frame - self.floor + later)
        self.read(*resume(self.plan, self.floor, FORMAT), self.floor)

    @rule()
    def forget(self):
        self.plan = forget(self.plan, self.floor)

    @rule()
    def restart(self):
        plan = decode_plan(encode_plan(self.plan))
        assert plan == self.plan
        assert isinstance(plan, Plan)
        self.plan = plan

    def advance(self, later):
        self.floor += later
        if self.floor > self.plan.until_frame:
            self.away.append((self.plan.until_frame, self.floor))

    @invariant()
    def ids_are_unique(self):
        ids = [event.id for event in self.score if isinstance(event, Note)]
        assert len(set(ids)) == len(ids)

    @invariant()
    def what_is_announced_is_what_readers_see(self):
        first = self.plan.snapshots[0].frame
        assert tuple(rest(self.score, first)) == tuple(rest(self.plan.announced, first))

    @invariant()
    def readers_know_the_quality_that_was_asked_for_last(self):
        said = [e.value for e in self.score if isinstance(e, Automation) and e.parameter == "quality"]
        assert (said or [1.0])[-1] == self.quality

    @invariant()
    def readers_know_the_shares_that_were_asked_for_last(self):
        for name in ("brightness", "level_pad", "level_percussion") if self.score else ():
            said = [e.value for e in self.score if isinstance(e, Automation) and e.parameter == name]
            assert (said or [getattr(Controls(), name)])[-1] == getattr(self.plan.controls, name)

    @invariant()
    def readers_are_in_the_room_that_was_asked_for_last(self):
        if self.score:
            rooms = ["hall", *(event.room for event in self.score if isinstance(event, Space))]
            assert rooms[-1] == room_of(self.plan.controls, self.plan.snapshots[-1].form.name)

    @invariant()
    def only_absences_are_silent(self):
        drone = [event for event in self.score if isinstance(event, Note) and event.layer in ("drone", "pad")]
        end = START + SECOND // 5
        for note in drone:
            if note.at_frame > end:
                assert any(
                    left <= end + SECOND and note.at_frame - SECOND <= back for left, back in self.away
                )
            end = max(end, note.release_frame)

    @invariant()
    def notes_belong_to_the_chord_of_their_beat(self):
        for before, after in pairwise(self.plan.snapshots):
            assert after.chord.key in self.keys
            for event in self.plan.announced:
                if isinstance(event, Note) and before.frame <= event.at_frame < after.frame:
                    fits = event.pitch % 12 in (*after.chord.tones, *after.chord.scale)
                    assert fits or event.layer in ("melody", "percussion")

    @invariant()
    def no_event_breaks_a_rule(self):
        assert self.plan.rejected == ()


Session.TestCase.settings = settings(unhurried, max_examples=60, stateful_step_count=20)
test_a_plan_under_everything_a_composer_does = Session.TestCase
