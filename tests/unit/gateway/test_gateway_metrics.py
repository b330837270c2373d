"""The gateway's metrics."""

from prometheus_client import CollectorRegistry, generate_latest

from services.gateway.metrics import GatewayMetrics

OF_THE_CONTRACT = (
    'auralis_gateway_listeners{channel="main",codec="pcm"} 0.0',
    "auralis_gateway_chunks_sent_total 0.0",
    'auralis_gateway_chunks_dropped_total{reason="slow"} 0.0',
    "auralis_gateway_chunk_lateness_seconds_count 0.0",
    'auralis_gateway_connections_refused_total{reason="full"} 0.0',
    "auralis_client_underruns_total 0.0",
    'auralis_ring_depth_chunks{channel="main"} 0.0',
    'auralis_ring_underruns_total{channel="main"} 0.0',
    "auralis_control_latency_seconds_count 0.0",
)


def text(metrics: GatewayMetrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_every_metric_is_there_before_anything_happens() -> None:
    """A query finds 0 rather than nothing."""
    lines = text(GatewayMetrics(CollectorRegistry())).splitlines()
    assert [line for line in OF_THE_CONTRACT if line not in lines] == []


def test_channels_that_end_leave_nothing() -> None:
    """Ten thousand channels that came and went do not leave ten thousand labels behind."""
    metrics = GatewayMetrics(CollectorRegistry())
    before = text(metrics)
    metrics.open_channel("other")
    metrics.ring_depth.labels("other").set(3)
    metrics.close_channel("other")
    names = [line for line in text(metrics).splitlines() if "other" in line]
    assert names == []
    assert "main" in before
