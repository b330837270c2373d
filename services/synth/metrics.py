"""The metrics of a synth worker."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from auralis.audio import CHUNKS_PER_SECOND
from auralis.channel.membership import Membership
from auralis.ring.writer import Outcome

_BUCKETS_S: Final = (0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)


class SynthMetrics:
    """The worker's metrics, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.render_seconds = Histogram(
            "auralis_synth_render_seconds",
            "Time to render one chunk of one channel (its share of the batch).",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.chunk_seconds = Histogram(
            "auralis_synth_chunk_seconds",
            "From taking up a chunk, its score read, to having it in the ring.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.realtime_factor = Gauge(
            "auralis_synth_realtime_factor",
            "Seconds of audio rendered in a second of rendering, of the last batch.",
            registry=registry,
        )
        self.channels = Gauge(
            "auralis_synth_channels", "Channels that this worker renders.", registry=registry
        )
        self.takeovers = Counter(
            "auralis_synth_takeovers", "Channels taken over from a worker that was gone.", registry=registry
        )
        self.rerendered = Counter(
            "auralis_synth_rerendered_chunks", "Chunks rendered again for a newer score.", registry=registry
        )
        self.deadline_misses = Counter(
            "auralis_synth_deadline_misses",
            "Chunks that froze before they, or their newer version, arrived.",
            registry=registry,
        )
        self.rejected_entries = Counter(
            "auralis_synth_rejected_entries", "Score entries that were not readable.", registry=registry
        )
        self.skipped_notes = Counter(
            "auralis_synth_skipped_notes", "Notes that could not be played.", registry=registry
        )
        self.quality = Gauge(
            "auralis_synth_quality",
            "How much of the sound is rendered, 0 to 1, as the score has it.",
            ["channel"],
            registry=registry,
        )
        self.device_fallbacks = Counter(
            "auralis_synth_device_fallbacks",
            "Devices that were lost or out of memory, so that the CPU renders.",
            registry=registry,
        )
        self.refused = Counter(
            "auralis_ring_refused", "Pushes that the ring refused.", ["reason"], registry=registry
        )
        self._taken_over = 0
        self._rejected = 0
        for outcome in Outcome:
            if outcome is not Outcome.OK:
                self.refused.labels(outcome.value)

    def rendered(self, chunks: int, seconds: float) -> None:
        """Note a batch of ``chunks`` that took ``seconds``."""
        for _ in range(chunks):
            self.render_seconds.observe(seconds / chunks)
        self.realtime_factor.set(chunks / CHUNKS_PER_SECOND / seconds)

    def pushed(self, chunks: int, seconds: float, *, again: bool) -> None:
        """Note ``chunks`` that reached the ring ``seconds`` after work on them began.

        ``again``: they replace older versions.
        """
        for _ in range(chunks):
            self.chunk_seconds.observe(seconds)
        self.rerendered.inc(chunks if again else 0)

    def follow(self, membership: Membership, channels: int, rejected: int) -> None:
        """Update the metrics that the membership and the score reader count."""
        self.channels.set(channels)
        self.takeovers.inc(membership.taken_over - self._taken_over)
        self.rejected_entries.inc(rejected - self._rejected)
        self._taken_over, self._rejected = membership.taken_over, rejected
