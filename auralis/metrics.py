"""Serving a service's Prometheus metrics."""

from prometheus_client import CollectorRegistry, start_http_server

from auralis.errors import AuralisError


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Serve ``registry`` at ``http://host:port/metrics`` from its own thread; port 0 disables it.

    Raises:
        AuralisError: the address can't be bound.
    """
    if port == 0:
        return
    try:
        start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise AuralisError(f"metrics: can't listen on {host}:{port}: {error.strerror or error}") from error
