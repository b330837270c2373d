"""Serving metrics."""

import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Counter

from auralis.errors import AuralisError
from auralis.metrics import serve
from auralis.supervise import free_port


def test_metrics_are_served_as_prometheus_text() -> None:
    registry = CollectorRegistry()
    Counter("auralis_tested", "Tests.", registry=registry).inc()
    port = free_port("127.0.0.1")
    serve(registry, "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        assert b"auralis_tested_total 1.0" in response.read()


def test_port_0_serves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auralis.metrics.start_http_server", lambda *_, **__: pytest.fail("served"))
    serve(CollectorRegistry(), "127.0.0.1", 0)


def test_a_port_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AuralisError, match=f"can't listen on 127.0.0.1:{port}: Address already in use"):
            serve(CollectorRegistry(), "127.0.0.1", port)
