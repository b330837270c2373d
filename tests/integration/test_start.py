"""Services that can't start say why in one line and end with the right exit code."""

import asyncio
import os
import re
import sys

import pytest

from auralis.supervise import free_port

SERVICES = ("composer", "synth", "gateway")


async def started(*words: str, **environment: str) -> tuple[int, list[str]]:
    """Exit code and lines on stderr of ``auralis`` with ``words``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auralis",
        *words,
        env={**os.environ, "AURALIS_METRICS_PORT": "0", "LOG_LEVEL": "ERROR", **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    return process.returncode or 0, errors.decode().splitlines()


async def test_an_unreachable_broker_is_one_line() -> None:
    """Every service gives the broker a few seconds, then exits with 1."""
    url = f"redis://127.0.0.1:{free_port('127.0.0.1')}"
    ended = await asyncio.gather(*(started(service, REDIS_URL=url) for service in SERVICES))
    for code, lines in ended:
        assert code == 1
        assert len(lines) == 1
        assert lines[0].startswith("auralis: the broker does not answer")


async def test_auralis_up_needs_the_broker_that_it_was_given() -> None:
    """It does not start a broker of its own instead."""
    code, lines = await started("up", REDIS_URL=f"redis://127.0.0.1:{free_port('127.0.0.1')}")
    assert code == 1
    assert len(lines) == 1


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_without_a_broker_is_wrong_usage(service: str) -> None:
    """No REDIS_URL: exit code 2, and the variable is named."""
    code, lines = await started(service, REDIS_URL="")
    assert code == 2
    assert len(lines) == 1
    assert "REDIS_URL" in lines[0]


async def test_a_device_that_is_not_there_is_wrong_usage(redis_url: str) -> None:
    """The line lists the devices that exist."""
    code, lines = await started(
        "synth", "--device", "mps" if sys.platform != "darwin" else "cuda", REDIS_URL=redis_url
    )
    assert code == 2
    assert len(lines) == 1
    assert re.search("(AURALIS_DEVICE|--device): found '(mps|cuda)', allowed: .*cpu", lines[0])


async def test_a_port_in_use_is_one_line(redis_url: str) -> None:
    """The gateway names the address and the reason."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    async with server:
        code, lines = await started("gateway", "--port", port, REDIS_URL=redis_url)
        up_code, up_lines = await started("up", "--port", port, REDIS_URL=redis_url)
    assert (code, up_code) == (1, 1)
    assert len(lines) == len(up_lines) == 1
    assert port in lines[0]
    assert port in up_lines[0]
