"""The plan: what has been announced ahead of the listeners, so that a control change revises it consistently.

It keeps the engine's state at the start of every beat that may still change. A revision goes back to the
first beat boundary at or after its floor and composes from there anew; what had been announced between the
floor and that boundary is said again, since the log's ``revise`` drops it. So a revision that changes no
control changes no event.
"""

from bisect import bisect_left, bisect_right
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import ProtocolError
from auralis.score.events import Automation, Batch, Event, Revise
from services.composer.conduct import initial_state, resumed
from services.composer.engine import INTENSITY_RAMP_MS, compose_beat
from services.composer.state import EngineState

Events = tuple[Event, ...]


class Plan(msgspec.Struct, frozen=True):
    """What is announced up to ``until_frame`` under ``controls``.

    ``snapshots`` are the engine's states at beat starts, oldest first, the last one at ``until_frame``;
    ``announced`` are the events from the first snapshot's frame on.
    """

    seed: int
    controls: Controls
    revision: int
    until_frame: int
    snapshots: tuple[EngineState, ...]
    announced: Events = ()
    v: Literal[1] = 1


def begin(seed: int, from_frame: int, controls: Controls, revision: int) -> Plan:
    """A new piece that starts at ``from_frame``; nothing is announced yet."""
    return Plan(seed, controls, revision, from_frame, (initial_state(seed, from_frame, controls),))


def extend(plan: Plan, until_frame: int, fmt: AudioFormat) -> tuple[Plan, Batch]:
    """Announce whole beats up to ``until_frame`` or a little later; none if that is announced already."""
    return _composed(plan, until_frame, fmt)


def revise(
    plan: Plan, floor_frame: int, controls: Controls, revision: int, fmt: AudioFormat
) -> tuple[Plan, Batch]:
    """Announce anew everything from ``floor_frame`` on, under ``controls``; the horizon does not shrink.

    A floor past the horizon resumes with the new controls.

    Raises:
        ValueError: the plan has forgotten what was announced at ``floor_frame``.
    """
    kept, state = _kept(plan, floor_frame)
    # At a beat the engine itself announces a new intensity; between two beats it would come late.
    if controls.intensity != plan.controls.intensity and floor_frame < state.frame:
        kept = (_at_once(floor_frame, controls.intensity, fmt), *filter(_is_no_intensity, kept))
        # A piece that has not begun says it again at its first beat.
        state = replace(state, intensity=None if state.intensity is None else controls.intensity)
    past = tuple(snapshot for snapshot in plan.snapshots if snapshot.frame < state.frame)
    before = tuple(event for event in plan.announced if event.at_frame < floor_frame)
    turned = Plan(plan.seed, controls, revision, state.frame, (*past, state), (*before, *kept))
    turned, batch = _composed(turned, max(plan.until_frame, state.frame + 1), fmt)
    return turned, replace(batch, from_frame=floor_frame, events=(Revise(floor_frame), *kept, *batch.events))


def resume(plan: Plan, floor_frame: int, fmt: AudioFormat) -> tuple[Plan, Batch]:
    """Go on after an absence: one beat from ``floor_frame``, at or past the horizon, with a new chord."""
    state = resumed(plan.snapshots[-1], max(floor_frame, plan.until_frame))
    past = tuple(snapshot for snapshot in plan.snapshots if snapshot.frame < state.frame)
    plan = replace(plan, snapshots=(*past, state), until_frame=state.frame)
    return _composed(plan, state.frame + 1, fmt)


def forget(plan: Plan, before_frame: int) -> Plan:
    """The plan without what no revision from ``before_frame`` on needs."""
    oldest = max(0, bisect_right(plan.snapshots, before_frame, key=_frame) - 1)
    first_frame = plan.snapshots[oldest].frame
    kept = tuple(event for event in plan.announced if event.at_frame >= first_frame)
    return replace(plan, snapshots=plan.snapshots[oldest:], announced=kept)


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
    snapshots, events = list(plan.snapshots), list[Event]()
    while snapshots[-1].frame < until_frame:
        beat, state = compose_beat(snapshots[-1], plan.controls, fmt)
        events += beat
        snapshots.append(state)
    reached = snapshots[-1].frame
    batch = Batch(plan.revision, plan.until_frame, reached, tuple(events))
    return (
        replace(plan, until_frame=reached, snapshots=tuple(snapshots), announced=(*plan.announced, *events)),
        batch,
    )


def _kept(plan: Plan, floor_frame: int) -> tuple[Events, EngineState]:
    """What stays as announced from ``floor_frame`` to the next beat, and the state at that beat."""
    oldest = plan.snapshots[0]
    if floor_frame < oldest.frame and oldest.frame != oldest.origin:
        raise ValueError(f"revise: found the floor {floor_frame}, expected {oldest.frame} or later")
    if floor_frame > plan.until_frame:
        return (), resumed(plan.snapshots[-1], floor_frame)
    state = plan.snapshots[bisect_left(plan.snapshots, floor_frame, key=_frame)]
    return tuple(event for event in plan.announced if floor_frame <= event.at_frame < state.frame), state


def _at_once(floor_frame: int, intensity: float, fmt: AudioFormat) -> Automation:
    ramp = INTENSITY_RAMP_MS * fmt.sample_rate_hz // 1000
    return Automation(floor_frame, "intensity", ramp, intensity)


def _is_no_intensity(event: Event) -> bool:
    return not (isinstance(event, Automation) and event.parameter == "intensity")


def _frame(state: EngineState) -> int:
    return state.frame
