"""Control changes: accepted by the broker, answered once the score says from which chunk they are heard."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from auralis.audio import due_us
from auralis.channel.state import Channels
from auralis.errors import InvalidValue
from services.gateway.hub import Hub
from services.gateway.metrics import GatewayMetrics

# A composer answers within some 10 ms; after this long, assume that there is none.
ANSWER_S: Final = 2.0


class Accepted(NamedTuple):
    """A change that the broker has accepted, and when, by the broker's clock."""

    channel: str
    revision: int
    at_us: int


class Control:
    """Changes the controls of channels."""

    def __init__(self, hub: Hub, channels: Channels, metrics: GatewayMetrics) -> None:
        self._hub = hub
        self._channels = channels
        self._metrics = metrics

    async def accept(self, channel: str, changes: Mapping[str, Any]) -> Accepted:
        """Have the broker accept ``changes`` (control name → value).

        Raises:
            InvalidValue: nothing to change, an unknown name, or a value that is not allowed.
            ChannelNotFound: there is no such channel.
            BrokerUnavailable, RedisError, OSError: the broker is away.
        """
        if not changes:
            raise InvalidValue("controls", {}, "at least one control")
        accepted_us = self._hub.clock.now_us()
        return Accepted(channel, await self._channels.change(channel, changes), accepted_us)

    async def effective_seq(self, change: Accepted) -> int | None:
        """The first chunk that may carry ``change``; None if the channel sleeps or no composer answers.

        Raises:
            ChannelNotFound: the channel was deleted meanwhile.
            BrokerUnavailable, RedisError, OSError: the broker is away.
        """
        feed = await self._hub.feed(change.channel)
        if await self._hub.asleep(feed):
            return None
        seq = await feed.revised_seq(change.revision, ANSWER_S)
        if seq is not None:
            latency_us = due_us(feed.state.epoch_us, seq) - change.at_us
            self._metrics.control_latency.observe(max(latency_us, 0) / 1e6)
        return seq
