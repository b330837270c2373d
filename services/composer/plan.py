"""The plan: what has been announced ahead of the listeners, and may be revised by a control change.

It keeps the engine's state at the start of every beat that may still change. A revision goes back to the
first beat boundary at or after its floor and composes again from there; what had been announced between the
floor and that boundary is announced again, since the log's ``revise`` drops it. So a revision that changes no
control changes no event.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import ProtocolError
from auralis.score.events import Automation, Batch, Event, Revise
from services.composer.conduct import initial_state, resumed
from services.composer.engine import compose_beat
from services.composer.marks import RAMP_MS, Moment, turned
from services.composer.rules import checked
from services.composer.state import EngineState

Events = tuple[Event, ...]


class Plan(msgspec.Struct, frozen=True):
    """What is announced up to ``until_frame`` under ``controls``.

    ``snapshots`` are the engine's states at beat starts, oldest first, the last one at ``until_frame``;
    ``announced`` are the events from the first snapshot's frame on. ``qualities`` are the changes of quality,
    oldest first: the one in force at the first snapshot and all after it. ``rejected`` names the rules that
    the events composed last broke before they were mended.
    """

    seed: int
    controls: Controls
    revision: int
    until_frame: int
    snapshots: tuple[EngineState, ...]
    announced: Events = ()
    qualities: tuple[Automation, ...] = ()
    rejected: tuple[str, ...] = ()
    v: Literal[1] = 1


def begin(seed: int, from_frame: int, controls: Controls, revision: int) -> Plan:
    """A new piece that starts at ``from_frame``; nothing is announced yet."""
    return Plan(seed, controls, revision, from_frame, (initial_state(seed, from_frame, controls),))


def extend(plan: Plan, until_frame: int, fmt: AudioFormat) -> tuple[Plan, Batch]:
    """Announce whole beats up to ``until_frame`` or a little later; none if that is announced already."""
    return _composed(plan, until_frame, fmt)


def with_quality(plan: Plan, from_frame: int, quality: float) -> Plan:
    """The plan whose sound is rendered at ``quality`` (0-1) once it is revised from ``from_frame`` on."""
    mark = Automation(from_frame, "quality", 0, quality)
    qualities = (*(change for change in plan.qualities if change.at_frame < from_frame), mark)
    others = (e for e in plan.announced if e.at_frame < from_frame or not _is_of(e, "quality"))
    return replace(plan, qualities=qualities, announced=_with_marks((*others,), (mark,)))


def revise(
    plan: Plan, floor_frame: int, controls: Controls, revision: int, fmt: AudioFormat
) -> tuple[Plan, Batch]:
    """Announce everything from ``floor_frame`` on again, under ``controls``; the horizon does not shrink.

    With a floor past the horizon, the piece resumes there under the new controls.

    Raises:
        ValueError: the plan has forgotten what was announced at ``floor_frame``.
    """
    kept, state = _kept(plan, floor_frame)
    if floor_frame < state.frame:
        kept, state = _at_once(kept, state, floor_frame, (plan.controls, controls), fmt)
    before = tuple(event for event in plan.announced if event.at_frame < floor_frame)
    revised = replace(
        plan,
        controls=controls,
        revision=revision,
        until_frame=state.frame,
        snapshots=_leading_to(state, plan.snapshots),
        announced=(*before, *kept),
    )
    revised, batch = _composed(revised, max(plan.until_frame, state.frame + 1), fmt)
    return revised, replace(batch, from_frame=floor_frame, events=(Revise(floor_frame), *kept, *batch.events))


def resume(plan: Plan, floor_frame: int, fmt: AudioFormat) -> tuple[Plan, Batch]:
    """Go on after an absence: one beat from ``floor_frame``, at or past the horizon, with a new chord."""
    state = resumed(plan.snapshots[-1], max(floor_frame, plan.until_frame))
    plan = replace(plan, snapshots=_leading_to(state, plan.snapshots), until_frame=state.frame)
    return _composed(plan, state.frame + 1, fmt)


def forget(plan: Plan, before_frame: int) -> Plan:
    """The plan reduced to what a revision from ``before_frame`` on may need."""
    oldest = max(0, bisect_right(plan.snapshots, before_frame, key=_frame) - 1)
    first_frame = plan.snapshots[oldest].frame
    kept = tuple(event for event in plan.announced if event.at_frame >= first_frame)
    in_force = max(0, bisect_right(plan.qualities, first_frame, key=_at_frame) - 1)
    return replace(
        plan, snapshots=plan.snapshots[oldest:], announced=kept, qualities=plan.qualities[in_force:]
    )


def encode_plan(plan: Plan) -> bytes:
    """The plan as msgpack: the composer's checkpoint."""
    return _encoder.encode(plan)


def decode_plan(data: bytes) -> Plan:
    """Read a checkpoint.

    Raises:
        ProtocolError: the bytes are no plan of this version.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ProtocolError(f"composer checkpoint: {error}") from error


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Plan)


def _composed(plan: Plan, until_frame: int, fmt: AudioFormat) -> tuple[Plan, Batch]:
    """The plan with whole beats added until ``until_frame``, and the batch of what was added."""
    snapshots, events, rejected = list(plan.snapshots), list[Event](), list[str]()
    while snapshots[-1].frame < until_frame:
        beat, state = compose_beat(snapshots[-1], plan.controls, fmt)
        beat, broken = checked(beat, snapshots[-1], state)
        rejected += broken
        events += _with_marks(beat, _quality_marks(plan.qualities, snapshots[-1].frame, state))
        snapshots.append(state)
    reached = snapshots[-1].frame
    batch = Batch(plan.revision, plan.until_frame, reached, tuple(events))
    composed = replace(
        plan,
        until_frame=reached,
        snapshots=tuple(snapshots),
        announced=(*plan.announced, *events),
        rejected=tuple(rejected),
    )
    return composed, batch


def _leading_to(state: EngineState, snapshots: tuple[EngineState, ...]) -> tuple[EngineState, ...]:
    """The snapshots that precede ``state`` in its piece (none if it begins there), and ``state``."""
    past = (s for s in snapshots if s.frame < state.frame and s.origin == state.origin)
    return (*past, state)


def _kept(plan: Plan, floor_frame: int) -> tuple[Events, EngineState]:
    """What stays as announced from ``floor_frame`` to the next beat, and the state at that beat."""
    oldest = plan.snapshots[0]
    if floor_frame < oldest.frame and oldest.frame != oldest.origin:
        raise ValueError(f"revise: found the floor {floor_frame}, expected {oldest.frame} or later")
    if floor_frame > plan.until_frame:
        return (), resumed(plan.snapshots[-1], floor_frame)
    state = plan.snapshots[bisect_left(plan.snapshots, floor_frame, key=_frame)]
    return tuple(event for event in plan.announced if floor_frame <= event.at_frame < state.frame), state


def _at_once(
    kept: Events, state: EngineState, floor_frame: int, change: tuple[Controls, Controls], fmt: AudioFormat
) -> tuple[Events, EngineState]:
    """Announce at the floor what concerns only the synth: at the next beat, the engine would be late."""
    was, now = change
    floor = Moment(floor_frame, RAMP_MS * fmt.sample_rate_hz // 1000)
    kept, said = turned(kept, state.said, floor, change, state.form.name)
    state = replace(state, said=said)
    # A piece that has not begun announces its intensity again at its first beat.
    if now.intensity == was.intensity or state.intensity is None:
        return kept, state
    return kept, replace(state, intensity=now.intensity)


def _is_of(event: Event, parameter: str) -> bool:
    return isinstance(event, Automation) and event.parameter == parameter


def _quality_marks(qualities: Sequence[Automation], start_frame: int, after: EngineState) -> Events:
    """A beat's marks of quality: its changes, and the one in force where all marks are repeated."""
    changes = tuple(mark for mark in qualities if start_frame <= mark.at_frame < after.frame)
    in_force = bisect_right(qualities, start_frame, key=_at_frame) - 1
    said_again = after.keyframe == start_frame and in_force >= 0 and qualities[in_force].value < 1
    if said_again and qualities[in_force].at_frame < start_frame:
        return (replace(qualities[in_force], at_frame=start_frame), *changes)
    return changes


def _with_marks(events: Events, marks: Events) -> Events:
    return tuple(sorted((*marks, *events), key=_at_frame)) if marks else events


def _at_frame(event: Event) -> int:
    return event.at_frame


def _frame(state: EngineState) -> int:
    return state.frame
