"""The composer service: appends what the pure composer writes to the score log.

All music is in :mod:`services.composer.plan` and below; this module handles time, the broker and refusals.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from auralis.audio import AudioFormat
from auralis.channel.share import Link, Round, Share
from auralis.channel.state import Channels, ChannelState, ControlChange, QualityRequest
from auralis.controls import changed
from auralis.errors import ChannelNotFound, ProtocolError
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch
from auralis.score.log import Appended, Refusal, ScoreWriter
from auralis.timing import HORIZON_US, first_revisable_seq
from services.composer import plan as planning
from services.composer.metrics import ComposerMetrics
from services.composer.plan import Plan

_log = structlog.get_logger()

_TICK_S: Final = 0.25
# Time allowed for composing and appending a revision: the first frame that may change is that much later.
_COMPOSE_US: Final = 8_000
# A late entry is composed again from the frame that the log names; if that fails twice, the clock is off.
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Collaborators(Link):
    """What a composer works with."""

    metrics: ComposerMetrics


@dataclass(slots=True)
class _Piece:
    """One channel's plan as it was last written to the broker."""

    state: ChannelState
    audio: AudioFormat
    plan: Plan
    version: int
    control_id: EntryId

    def floor_frame(self, now_us: int) -> int:
        """The first frame that an entry appended about now may change."""
        return self.audio.start_frame(first_revisable_seq(self.state.epoch_us, now_us + _COMPOSE_US))

    def frame_of(self, quality: QualityRequest) -> int:
        """Where a quality requested without a control change begins: what is already rendered stays."""
        return self.audio.start_frame(min(quality.from_seq, self.audio.seq_at(self.plan.until_frame - 1)))

    def frame_at(self, at_us: int) -> int:
        """The frame that is due at ``at_us``."""
        return (at_us - self.state.epoch_us) * self.audio.sample_rate_hz // 1_000_000


class Composer:
    """One process's share of the channels."""

    def __init__(self, name: str, parts: Collaborators) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._metrics = parts.metrics
        self._share = Share("composer", name, parts)
        self._channels = Channels(parts.client, parts.keys)
        self._pieces: dict[str, _Piece] = {}

    async def run(self) -> None:
        """Work until cancelled; then leave the group, so that the others take over at once."""
        # After a failure it is not known what was written: the pieces are read again.
        await self._share.keep(self._compose_all, on_broker_error=self._pieces.clear, tick_s=_TICK_S)

    async def _compose_all(self, round_: Round) -> None:
        held, controlled = self._share.held, round_.announces("control")
        for gone in self._pieces.keys() - held:
            del self._pieces[gone]
        for channel in sorted(held, key=lambda name: name not in controlled):
            try:
                await self._compose(channel, look=round_.everything or channel in controlled)
            except ChannelNotFound:
                self._pieces.pop(channel, None)

    async def _compose(self, channel: str, *, look: bool) -> None:
        piece = self._pieces.get(channel)
        if piece is None:
            piece, look = await self._load(channel), True
        if not self._share.awake(channel, always_on=piece.state.always_on):
            return
        if look:
            changes = await self._channels.control_changes(channel, after=piece.control_id)
            if changes:
                await self._revise(piece, changes)
        await self._extend(piece)
        now_frame = piece.frame_at(self._clock.now_us())
        ahead_s = piece.audio.seconds(piece.plan.until_frame - now_frame)
        self._metrics.horizon_seconds.labels(channel).set(ahead_s)

    async def _load(self, channel: str) -> _Piece:
        """Go on from the checkpoint, or begin the piece."""
        # Changes first: one that comes between the two reads is in the state, and is merely applied again.
        changes = await self._channels.control_changes(channel)
        state = await self._channels.state(channel)
        audio = AudioFormat(state.sample_rate_hz)
        plan, control_id = _checkpoint(state), state.control_id
        if plan is None:
            floor = audio.start_frame(first_revisable_seq(state.epoch_us, self._clock.now_us() + _COMPOSE_US))
            plan = planning.begin(state.seed, max(floor, state.until_frame), state.controls, state.revision)
            control_id = changes[-1].id if changes else NO_ENTRY
        piece = self._pieces[channel] = _Piece(state, audio, plan, state.version, control_id)
        return piece

    async def _revise(self, piece: _Piece, changes: list[ControlChange]) -> None:
        """Apply accepted changes, all of them in one entry."""
        controls = piece.plan.controls
        for change in changes:
            controls = changed(controls, change.changes)
        quality = next((change.quality for change in reversed(changes) if change.quality), None)
        floor = piece.floor_frame(self._clock.now_us())
        if quality is not None and controls == piece.plan.controls:
            floor = max(floor, piece.frame_of(quality))
        for _ in range(_ATTEMPTS):
            plan = piece.plan if quality is None else planning.with_quality(piece.plan, floor, quality.value)
            plan, batch = planning.revise(plan, floor, controls, changes[-1].revision, piece.audio)
            appended = await self._append(piece, plan, batch, changes[-1].id)
            if appended.first_frame is None:
                break
            floor = appended.first_frame
        _say(piece.state.id, changes, quality)

    async def _extend(self, piece: _Piece) -> None:
        now_us = self._clock.now_us()
        wanted = piece.frame_at(now_us + HORIZON_US)
        if piece.plan.until_frame >= wanted:
            return
        floor = piece.floor_frame(now_us)
        for _ in range(_ATTEMPTS):
            if piece.plan.until_frame < floor:  # absent past the horizon: the synth has held the last chord
                plan, batch = planning.resume(piece.plan, floor, piece.audio)
            else:
                plan, batch = planning.extend(piece.plan, wanted, piece.audio)
            appended = await self._append(piece, plan, batch, piece.control_id)
            if appended.first_frame is None:
                return
            floor = appended.first_frame

    async def _append(self, piece: _Piece, plan: Plan, batch: Batch, control_id: EntryId) -> Appended:
        channel = piece.state.id
        plan = planning.forget(plan, piece.floor_frame(self._clock.now_us()))
        writer = ScoreWriter(self._parts.client, self._parts.keys, piece.audio)
        checkpoint: dict[str, bytes | str | int] = {
            "plan": planning.encode_plan(plan),
            "control_id": str(control_id),
        }
        appended = await writer.append(channel, piece.version, batch, checkpoint)
        if appended.refusal is not None:
            self._metrics.refused.labels(appended.refusal.value).inc()
        if appended.refusal in (Refusal.CONFLICT, Refusal.MISSING):
            del self._pieces[channel]  # another composer wrote, or the channel is gone: read it again
        elif appended.entry_id is not None:
            piece.plan, piece.control_id = plan, control_id
            piece.version += 1
            self._metrics.count(batch)
            self._metrics.count_rejected(plan.rejected)
        return appended


def _say(channel: str, changes: list[ControlChange], quality: QualityRequest | None) -> None:
    if any(change.changes for change in changes):
        _log.info("controls changed", channel=channel, revision=changes[-1].revision)
    if quality is not None:
        _log.info("quality changed", channel=channel, quality=quality.value)


def _checkpoint(state: ChannelState) -> Plan | None:
    """The plan last written; None if there is none, or if this version cannot read it."""
    if state.plan is None:
        return None
    try:
        return planning.decode_plan(state.plan)
    except ProtocolError as error:
        _log.warning("checkpoint not readable, the piece begins anew", channel=state.id, reason=str(error))
        return None
