"""Ring and score log on Redis in a container: the other broker that Auralis promises to support."""

import gc
import warnings
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.integration.auralis.ring.machine import run_ring_machine
from tests.integration.auralis.score.machine import run_score_log_machine

IMAGE = "redis:7-alpine"
PORT = 6379


def _absent() -> str:
    """Why no container of :data:`IMAGE` can run; empty if one can."""
    # If no engine answers, docker-py leaves a socket open, whose warning would make some later test fail.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _look()
        gc.collect()
    return reason


def _look() -> str:
    try:
        client = docker.from_env(timeout=5)
    except DockerException as error:
        return f"no Docker engine answers: {' '.join(str(error).split())}"
    try:
        client.ping()
        client.images.get(IMAGE)
    except ImageNotFound:
        return _not_pulled(client)
    except DockerException as error:
        return f"no Docker engine answers: {' '.join(str(error).split())}"
    finally:
        client.close()
    return ""


def _not_pulled(client: docker.DockerClient) -> str:
    try:
        client.images.pull(IMAGE)
    except DockerException as error:
        return f"Docker can't get {IMAGE}: {' '.join(str(error).split())}"
    return ""


@pytest.fixture(scope="module")
def container_url(module_monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a Redis in a container."""
    if reason := _absent():
        pytest.skip(reason)
    container = DockerContainer(IMAGE).with_exposed_ports(PORT)
    with container.waiting_for(LogMessageWaitStrategy("Ready to accept connections")):
        yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(PORT)}"


@pytest.fixture(scope="module")
def module_monkeypatch() -> Iterator[pytest.MonkeyPatch]:
    """Without testcontainers' reaper, which needs its own image; the container ends with its test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("testcontainers.core.config.testcontainers_config.ryuk_disabled", True)
        yield patch


def test_a_ring_keeps_its_promises_on_redis(container_url: str) -> None:
    run_ring_machine(container_url, lives=20, steps=25)


def test_a_log_is_what_was_accepted_on_redis(container_url: str) -> None:
    run_score_log_machine(container_url, lives=15, steps=15)
