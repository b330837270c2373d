"""What a composer measures."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from auralis.score.events import Batch

_EVENT_TYPES = ("note", "chord", "automation", "section", "tempo", "patch", "space", "revise")


class ComposerMetrics:
    """The composer's metrics, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "auralis_composer_events", "Events written to the score.", ["type"], registry=registry
        )
        self.horizon_seconds = Gauge(
            "auralis_composer_horizon_seconds",
            "How far ahead of the live chunk the score is written.",
            ["channel"],
            registry=registry,
        )
        self.refused = Counter(
            "auralis_composer_refused_entries",
            "Entries that the score log refused.",
            ["reason"],
            registry=registry,
        )
        for name in _EVENT_TYPES:
            self._events.labels(name)
        for name in ("late", "conflict", "missing"):
            self.refused.labels(name)

    def count(self, batch: Batch) -> None:
        """Count the events of an appended batch."""
        for event in batch.events:
            self._events.labels(type(event).__name__.lower()).inc()
