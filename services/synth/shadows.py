"""Shadows: other workers' channels that a worker keeps up with, so that their worker can die unheard.

A takeover has to render all of the past that can still be heard, and meanwhile the ring runs down. So a
worker with spare time also renders channels of other workers, once their chunks are frozen, and discards the
audio: when it takes one over, it lacks no more of the past than what lies in the ring.
"""

import contextlib
from collections.abc import Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from auralis.channel.listeners import Listeners
from auralis.channel.share import Link
from auralis.channel.state import Channels, ChannelState
from auralis.errors import ChannelNotFound
from auralis.keyspace import MAIN_CHANNEL
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY
from auralis.score.log import ScoreReader
from auralis.timing import POLL_S, first_unfrozen_seq
from services.synth.renderer import Job
from services.synth.tracked import TrackedChannel

# Chunks are rendered this many at a time: a chunk takes half as long among five as alone, and a takeover
# lacks at most these in addition to those in the ring.
_STRIDE: Final = 5
# A whole past is rendered in pieces of this many chunks: workers playing on the same processor must not wait.
_MOST_AT_ONCE: Final = 8
# Channels. Each takes three or four hundredths of a core, and the rest of the machine has work, too.
MOST: Final = 4
# Above this load a worker follows no channels of others, until its load falls below the second one.
_BUSY: Final = 0.6
_AT_EASE: Final = 0.5
_FORGETTING: Final = 0.9


class Spare:
    """How many channels of others a worker has time for."""

    def __init__(self) -> None:
        self._load = 0.0
        self._at_ease = True

    def spent(self, load: float) -> None:
        """Note the share of the last second that the worker's own channels took."""
        self._load = self._load * _FORGETTING + load * (1 - _FORGETTING)
        self._at_ease = self._load < (_BUSY if self._at_ease else _AT_EASE)

    def allowed(self, count: int) -> int:
        """How many there may be now, after ``count`` before: at most one more at a time."""
        return min(count + 1, MOST) if self._at_ease else 0


@dataclass(slots=True)
class _Followed:
    """A channel that is kept up with; ``visited_seq``: the frozen chunk whose past was last worked on."""

    channel: TrackedChannel
    visited_seq: int | None = None

    def is_due(self, frozen_seq: int) -> bool:
        """Whether part of it is to be rendered now."""
        done = self.channel.rendered_seq
        return frozen_seq - done >= _STRIDE if done is not None else frozen_seq != self.visited_seq


class Shadow(NamedTuple):
    """What to render of one channel: at most ``most`` chunks of ``job`` and its past."""

    channel: TrackedChannel
    job: Job
    most: int = _MOST_AT_ONCE

    def done(self) -> None:
        """Note that ``job`` and its past are complete."""
        self.channel.rendered_seq = self.job.seq


class Shadows:
    """The channels of others that one worker keeps up with."""

    def __init__(self, link: Link) -> None:
        self._clock = link.clock
        self._channels = Channels(link.client, link.keys)
        self._listeners = Listeners(link.client, link.keys)
        self._scores = ScoreReader(link.client, link.keys)
        self._rings = RingReader(link.client, link.keys)
        self.spare = Spare()
        self._looked_us = 0
        self._followed: dict[str, _Followed] = {}

    @property
    def channels(self) -> dict[str, TrackedChannel]:
        """The channels that are kept up with, by name; a ``rendered_seq`` means that the past is complete."""
        return {name: followed.channel for name, followed in self._followed.items()}

    def take(self, state: ChannelState) -> TrackedChannel:
        """The channel, to be played from now on; its score is kept, unless the channel was recreated."""
        channel = self._taken(state).channel
        channel.rendered_seq = None  # its first batch still has to render what is in the ring, as its past
        return channel

    def forget(self) -> None:
        """Start over: what was rendered is lost."""
        self._followed.clear()

    async def due(self, own: Set[str]) -> Shadow | None:
        """What to render next of channels that are not the worker's ``own``; None if nothing is due."""
        now_us = self._clock.now_us()
        if abs(now_us - self._looked_us) >= POLL_S * 1e6:
            self._looked_us = now_us
            await self._choose(own)
        for followed in self._followed.values():
            channel = followed.channel
            seq = first_unfrozen_seq(channel.epoch_us, now_us) - 1
            if channel.id not in own and followed.is_due(seq):
                followed.visited_seq = seq
                await self._read(channel, now_us)
                own_id = channel.score.version_for(channel.audio.end_frame(seq))
                if own_id != NO_ENTRY:
                    return Shadow(channel, Job(channel.seed, channel.score, seq, Versions(own_id, own_id)))
        return None

    async def _choose(self, own: Set[str]) -> None:
        """Choose channels that somebody hears; the main channel, which always plays, before others."""
        heard = {MAIN_CHANNEL, *await self._listeners.awake(self._looked_us)}
        others = sorted(heard - own, key=lambda name: (name != MAIN_CHANNEL, name))
        chosen: dict[str, _Followed] = {}
        for name in others[: self.spare.allowed(len(self._followed))]:
            with contextlib.suppress(ChannelNotFound):
                chosen[name] = self._taken(await self._channels.state(name))
        self._followed = chosen

    def _taken(self, state: ChannelState) -> _Followed:
        followed = self._followed.pop(state.id, None)
        if followed and followed.channel.epoch_us == state.epoch_us:
            return followed
        return _Followed(TrackedChannel.of(state))

    async def _read(self, channel: TrackedChannel, now_us: int) -> None:
        """Read new entries of the score and the ring's versions; forget what no chunk needs any more."""
        for entry in await self._scores.read(channel.id, after=channel.score.last_id):
            channel.score.apply(entry.id, entry.batch)
        channel.ring.held = await self._rings.versions(channel.id)
        channel.forget(now_us)
