"""All of the gateway's metrics, with every label value initialised from the start."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from auralis.keyspace import MAIN_CHANNEL
from services.gateway.limits import Refused
from services.gateway.protocol import CODECS

_LATENESS_S: Final = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)
_CONTROL_S: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
DROPPED_SLOW: Final = "slow"


class GatewayMetrics:
    """The gateway's metrics, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        ProcessCollector(registry=registry)
        self._delivery(registry)
        self._clients(registry)
        self._channels(registry)
        for reason in Refused:
            self.refused.labels(reason.value)
        self.dropped.labels(DROPPED_SLOW)
        self.open_channel(MAIN_CHANNEL)

    def _delivery(self, registry: CollectorRegistry) -> None:
        self.sent = Counter("auralis_gateway_chunks_sent", "Chunks written to listeners.", registry=registry)
        self.dropped = Counter(
            "auralis_gateway_chunks_dropped", "Chunks that a listener lost.", ["reason"], registry=registry
        )
        self.lateness = Histogram(
            "auralis_gateway_chunk_lateness_seconds",
            "How long after its due time a chunk was written to the last of its listeners.",
            buckets=_LATENESS_S,
            registry=registry,
        )

    def _clients(self, registry: CollectorRegistry) -> None:
        self.refused = Counter(
            "auralis_gateway_connections_refused",
            "Connections refused or closed on joining.",
            ["reason"],
            registry=registry,
        )
        self.client_underruns = Counter(
            "auralis_client_underruns", "Underruns that players reported.", registry=registry
        )
        self.control_latency = Histogram(
            "auralis_control_latency_seconds",
            "From accepting a control change to the due time of the first chunk that carries it.",
            buckets=_CONTROL_S,
            registry=registry,
        )

    def _channels(self, registry: CollectorRegistry) -> None:
        self.listeners = Gauge(
            "auralis_gateway_listeners",
            "Listeners connected to this gateway.",
            ["channel", "codec"],
            registry=registry,
        )
        self.ring_depth = Gauge(
            "auralis_ring_depth_chunks",
            "Chunks ahead of the playhead, as mirrored.",
            ["channel"],
            registry=registry,
        )
        self.ring_underruns = Counter(
            "auralis_ring_underruns", "Chunks that were missing when due.", ["channel"], registry=registry
        )

    def open_channel(self, channel: str) -> None:
        """Start reporting a channel."""
        for codec in CODECS:
            self.listeners.labels(channel, codec)
        self.ring_depth.labels(channel)
        self.ring_underruns.labels(channel)

    def close_channel(self, channel: str) -> None:
        """Stop reporting a channel, so that short-lived channels leave no series behind."""
        for codec in CODECS:
            self.listeners.remove(channel, codec)
        self.ring_depth.remove(channel)
        self.ring_underruns.remove(channel)
