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
    """``effective_seq``: the first chunk that may carry the change; None if no composer has answered yet."""

    revision: int
    effective_seq: int | None


class Control:
    """Changes the controls of channels."""

    def __init__(self, hub: Hub, channels: Channels, metrics: GatewayMetrics) -> None:
        self._hub = hub
        self._channels = channels
        self._metrics = metrics

    async def change(self, channel: str, changes: Mapping[str, Any]) -> Accepted:
        """Accept ``changes`` (control name → value).

        Raises:
            InvalidValue: nothing to change, an unknown name, or a value that is not allowed.
            ChannelNotFound: there is no such channel.
            BrokerUnavailable, RedisError, OSError: the broker is away.
        """
        if not changes:
            raise InvalidValue("controls", {}, "at least one control")
        accepted_us = self._hub.clock.now_us()
        revision = await self._channels.change(channel, changes)
        feed = await self._hub.feed(channel)
        seq = await feed.revised_seq(revision, ANSWER_S)
        if seq is not None:
            latency_us = due_us(feed.state.epoch_us, seq) - accepted_us
            self._metrics.control_latency.observe(max(latency_us, 0) / 1e6)
        return Accepted(revision, seq)
