"""Random lives of a score log: two composers, each with a checkpoint of its own age, passing time, a reader.

Each append is checked against the rules, written down a second time in Python; the log as it is read must be
exactly what was accepted, in order.
"""

import asyncio

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from auralis.audio import AudioFormat
from auralis.channel.state import Channels
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, Revise, Section
from auralis.score.log import Appended, LogEntry, Refusal, ScoreReader, ScoreWriter
from tests.integration.auralis.simulated import SimulatedChannel

AUDIO = AudioFormat(48_000)


class ScoreLogMachine(RuleBasedStateMachine):
    """See the module docstring."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        super().__init__()
        self.channel = SimulatedChannel(runner, url, created=True)
        client, keys = self.channel.client, self.channel.keys
        self.writer = ScoreWriter(client, keys, AUDIO)
        self.reader = ScoreReader(client, keys)
        self.channels = Channels(client, keys)
        self.version = 0
        self.checkpoints = [0, 0]
        self.accepted: list[LogEntry] = []
        self.read: list[LogEntry] = []
        self.unreadable = 0

    def teardown(self) -> None:
        self.channel.close()

    @property
    def floor(self) -> int:
        """The first frame that may still change: the start of the first chunk due 250 ms or more from now."""
        return AUDIO.start_frame(self.channel.live + 3)

    @rule(ticks=st.integers(1, 30))
    def time_passes(self, ticks: int) -> None:
        self.channel.live += ticks

    @rule(who=st.integers(0, 1))
    def a_composer_reads_its_checkpoint(self, who: int) -> None:
        state = self.channel.run(self.channels.state(self.channel.id))
        assert state.version == self.version
        self.checkpoints[who] = state.version

    @rule(
        who=st.integers(0, 1),
        late=st.sampled_from((-10_000, -1, 0, 0, 1, 5_000)),
        length=st.integers(0, 9_000),
    )
    def a_composer_appends(self, who: int, late: int, length: int) -> None:
        appended = self._append(who, self.floor + late, length)
        if appended.refusal is Refusal.LATE and self.channel.steady:
            assert appended.first_frame == self.floor
            again = self._append(who, self.floor, length)
            assert again.entry_id is not None or not self.channel.steady

    @rule()
    def both_compose_from_the_same_checkpoint(self) -> None:
        self.checkpoints = [self.version, self.version]
        both = [self._append(who, self.floor + 9_600, 10) for who in (0, 1)]
        assert both[0].entry_id is not None
        assert both[1] == Appended(None, Refusal.CONFLICT)

    @rule(data=st.binary(max_size=8))
    def somebody_writes_what_is_no_entry(self, data: bytes) -> None:
        self.channel.run(self.channel.client.xadd(self.channel.keys.score(self.channel.id), {"batch": data}))
        self.unreadable += 1

    @rule()
    def a_reader_reads_on(self) -> None:
        after = self.read[-1].id if self.read else NO_ENTRY
        self.read += self.channel.run(self.reader.read(self.channel.id, after))
        assert self.read == self.accepted

    @invariant()
    def the_log_is_what_was_accepted(self) -> None:
        reader = ScoreReader(self.channel.client, self.channel.keys)
        assert self.channel.run(reader.read(self.channel.id)) == self.accepted
        assert reader.rejected == self.unreadable

    @invariant()
    def the_state_is_that_of_the_newest_entry(self) -> None:
        state = self.channel.run(self.channels.state(self.channel.id))
        assert state.version == self.version == len(self.accepted)
        if self.accepted:
            newest = self.accepted[-1].batch
            assert (state.until_frame, state.composed_revision) == (newest.until_frame, newest.revision)
            assert state.plan == b"plan \x00%d" % self.version
            assert state.control_id == EntryId(self.version, 7)

    def _append(self, who: int, start: int, length: int) -> Appended:
        self.channel.settle()
        seen = self.checkpoints[who]
        events = (Revise(at_frame=start), Section(at_frame=start, name=f"by {who}"))
        batch = Batch(len(self.accepted), start, start + length, events)
        checkpoint = {"plan": b"plan \x00%d" % (seen + 1), "control_id": f"{seen + 1}-7"}
        appended = self.channel.run(self.writer.append(self.channel.id, seen, batch, checkpoint))
        if self.channel.steady:
            late = Refusal.LATE if start < self.floor else None
            assert appended.refusal is (Refusal.CONFLICT if seen != self.version else late)
        if appended.entry_id is not None:
            assert seen == self.version
            assert not self.accepted or appended.entry_id > self.accepted[-1].id
            self.accepted.append(LogEntry(appended.entry_id, batch))
            self.version += 1
            self.checkpoints[who] = self.version
        return appended


def run_score_log_machine(url: str, lives: int, steps: int) -> None:
    """Let ``lives`` logs live on the broker at ``url``, each for up to ``steps`` steps."""
    profile = settings(max_examples=lives, stateful_step_count=steps, phases=[Phase.generate])
    with asyncio.Runner() as runner:
        run_state_machine_as_test(lambda: ScoreLogMachine(runner, url), settings=profile)
