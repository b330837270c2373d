"""Shadows: channels of other workers that are kept up with, so that whoever plays them can die unheard.

A takeover renders all of the past that can still be heard, and while it does the ring runs down. Who has time
left renders what others play, once it is frozen, and throws it away: of that past nothing is missing then but
what lies in the ring.
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

# So many chunks are rendered one after the other: one takes half as long among five as alone, and a takeover
# lacks no more than these beside the ring's.
_STRIDE: Final = 5
# Of a past that is begun with, so many go at a time: whoever plays on the same processor is not to wait.
_MOST_AT_ONCE: Final = 8
# Each takes three or four hundredths of a core, and the rest of the machine has work, too.
MOST: Final = 4
# Whose own channels take more of the time keeps up with none, until they take less than the other.
_BUSY: Final = 0.6
_AT_EASE: Final = 0.5
_FORGETTING: Final = 0.9


class Spare:
    """How many channels of others a worker has the time for."""

    def __init__(self) -> None:
        self._load = 0.0
        self._at_ease = True

    def spent(self, load: float) -> None:
        """Note the share of the last second that one's own channels took."""
        self._load = self._load * _FORGETTING + load * (1 - _FORGETTING)
        self._at_ease = self._load < (_BUSY if self._at_ease else _AT_EASE)

    def allowed(self, count: int) -> int:
        """How many there may be after a second in which there were ``count``: one more at a time."""
        return min(count + 1, MOST) if self._at_ease else 0


@dataclass(slots=True)
class _Followed:
    """A channel that is kept up with; ``visited_seq``: the last chunk that it was rendered for in part."""

    channel: TrackedChannel
    visited_seq: int | None = None

    def is_due(self, frozen_seq: int) -> bool:
        """Whether some of it is to be rendered now."""
        done = self.channel.rendered_seq
        return frozen_seq - done >= _STRIDE if done is not None else frozen_seq != self.visited_seq


class Shadow(NamedTuple):
    """What is to be rendered of one channel: ``most`` chunks of the past of ``job``, and of itself."""

    channel: TrackedChannel
    job: Job
    most: int = _MOST_AT_ONCE

    def done(self) -> None:
        """Note that nothing is lacking any more."""
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
        """What is kept up with; those whose past is complete have a ``rendered_seq``."""
        return {name: followed.channel for name, followed in self._followed.items()}

    def take(self, state: ChannelState) -> TrackedChannel:
        """A channel that is to be played from now on, as far as it was kept up with; not if it was remade."""
        channel = self._taken(state).channel
        channel.rendered_seq = None  # its first batch still has what is in the ring for a past
        return channel

    def forget(self) -> None:
        """Begin anew: what was rendered is lost."""
        self._followed.clear()

    async def due(self, own: Set[str]) -> Shadow | None:
        """What to render next beside one's ``own`` channels."""
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
        """Keep up with some that can be heard, the one that always plays before others."""
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
        """Read on in the score, and forget what is past."""
        for entry in await self._scores.read(channel.id, after=channel.score.last_id):
            channel.score.apply(entry.id, entry.batch)
        channel.ring.held = await self._rings.versions(channel.id)
        channel.forget(now_us)
