"""What a composer measures."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from auralis.score.events import Batch
from services.composer.rules import RULES

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
        self._rejected = Counter(
            "auralis_composer_rejected",
            "Events that broke a rule of the music and were mended or dropped.",
            ["rule"],
            registry=registry,
        )
        for rule in RULES:
            self._rejected.labels(rule)
        for name in _EVENT_TYPES:
            self._events.labels(name)
        for name in ("late", "conflict", "missing"):
            self.refused.labels(name)

    def count_rejected(self, broken: tuple[str, ...]) -> None:
        """Count the rules that were broken before a batch was mended."""
        for rule in broken:
            self._rejected.labels(rule).inc()

    def count(self, batch: Batch) -> None:
        """Count the events of an appended batch."""
        for event in batch.events:
            self._events.labels(type(event).__name__.lower()).inc()
