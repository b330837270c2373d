"""The metrics of a worker: what it counts and times."""

import pytest
from prometheus_client import CollectorRegistry

from services.synth.metrics import SynthMetrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> SynthMetrics:
    return SynthMetrics(registry)


def test_each_chunk_has_its_share_of_the_batch(registry: CollectorRegistry, metrics: SynthMetrics) -> None:
    """Four chunks in 20 ms: 5 ms each, twenty times faster than they are played."""
    metrics.rendered(4, 0.02)
    assert registry.get_sample_value("auralis_synth_render_seconds_count") == 4
    assert registry.get_sample_value("auralis_synth_render_seconds_sum") == pytest.approx(0.02)
    assert registry.get_sample_value("auralis_synth_realtime_factor") == pytest.approx(20)


def test_each_chunk_waits_for_the_whole_batch(registry: CollectorRegistry, metrics: SynthMetrics) -> None:
    """Whether it is the first version in the ring or a replacement; replacements are counted separately."""
    metrics.pushed(4, 0.02, again=False)
    metrics.pushed(2, 0.01, again=True)
    assert registry.get_sample_value("auralis_synth_chunk_seconds_count") == 6
    assert registry.get_sample_value("auralis_synth_chunk_seconds_sum") == pytest.approx(0.1)
    assert registry.get_sample_value("auralis_synth_rerendered_chunks_total") == 2
