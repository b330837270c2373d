"""Shadows: channels of other workers that are kept up with, so that whoever plays them can die unheard.

A takeover renders all of the past that can still be heard, and while it does the ring runs down. Who has time
left renders what others play, once it is frozen, and throws it away: of that past nothing is missing then but
what lies in the ring.
"""

import contextlib
from collections.abc import Set
from typing import Final, NamedTuple

from auralis.audio import CHUNK_US
from auralis.channel.listeners import Listeners
from auralis.channel.share import Link
from auralis.channel.state import Channels, ChannelState
from auralis.errors import ChannelNotFound
from auralis.keyspace import MAIN_CHANNEL
from auralis.ring.reader import RingReader
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY
from auralis.score.log import ScoreReader
from auralis.timing import first_unfrozen_seq
from services.synth.renderer import Job
from services.synth.tracked import TrackedChannel

# A worker keeps up with so many channels, its own included: each takes about a thirtieth of a core.
MOST: Final = 4
# Rendered at once: a chunk takes half as long among five, and a takeover lacks no more than these beside the
# ring's.
_AT_ONCE: Final = 5


class Shadow(NamedTuple):
    """A channel that is kept up with, and the frozen chunk that it is to be rendered up to."""

    channel: TrackedChannel
    job: Job


class Shadows:
    """The channels of others that one worker keeps up with."""

    def __init__(self, link: Link) -> None:
        self._clock = link.clock
        self._channels = Channels(link.client, link.keys)
        self._listeners = Listeners(link.client, link.keys)
        self._scores = ScoreReader(link.client, link.keys)
        self._rings = RingReader(link.client, link.keys)
        self._looked_us = 0
        self._followed: dict[str, TrackedChannel] = {}

    def take(self, state: ChannelState) -> TrackedChannel:
        """A channel that is to be played from now on, as far as it was kept up with; not if it was remade."""
        followed = self._followed.pop(state.id, None)
        return followed if followed and followed.epoch_us == state.epoch_us else TrackedChannel.of(state)

    def forget(self) -> None:
        """Begin anew: what was rendered is lost."""
        self._followed.clear()

    async def due(self, own: Set[str]) -> list[Shadow]:
        """What to render now beside one's ``own`` channels."""
        now_us = self._clock.now_us()
        if abs(now_us - self._looked_us) < _AT_ONCE * CHUNK_US:
            return []
        self._looked_us = now_us
        await self._choose(own)
        jobs = [(channel, await self._read(channel)) for channel in self._followed.values()]
        return [Shadow(channel, job) for channel, job in jobs if job]

    async def _choose(self, own: Set[str]) -> None:
        """Keep up with a few that can be heard, the one that always plays before others."""
        heard = {MAIN_CHANNEL, *await self._listeners.awake(self._looked_us)}
        others = sorted(heard - own, key=lambda name: (name != MAIN_CHANNEL, name))
        followed: dict[str, TrackedChannel] = {}
        for name in others[: max(MOST - len(heard & own), 0)]:
            with contextlib.suppress(ChannelNotFound):
                followed[name] = self.take(await self._channels.state(name))
        self._followed = followed

    async def _read(self, channel: TrackedChannel) -> Job | None:
        """Read on in the score; the last frozen chunk, if anything was composed for it."""
        for entry in await self._scores.read(channel.id, after=channel.score.last_id):
            channel.score.apply(entry.id, entry.batch)
        channel.ring.held = await self._rings.versions(channel.id)
        channel.forget(self._looked_us)
        seq = first_unfrozen_seq(channel.epoch_us, self._looked_us) - 1
        own = channel.score.version_for(channel.audio.end_frame(seq))
        if own == NO_ENTRY:
            return None
        # After the chunk that its score expects: no other one has to be rendered for a seam.
        before = channel.score.version_for(channel.audio.start_frame(seq), newest=own)
        return Job(channel.seed, channel.score, seq, Versions(own, before))
