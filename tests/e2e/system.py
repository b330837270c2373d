"""A real ``auralis up`` for tests: its processes, its address, and how to hurt it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from auralis.supervise import free_port

_START_S: Final = 60.0
# Loading everything takes at least this much processor time.
_LOADING_S: Final = 0.3
# Keeping up with one channel takes at most this much of every half second, even on a slow processor.
_KEEPING_UP_S: Final = 0.08


@dataclass(frozen=True)
class System:
    """``auralis up`` with its own data directory and ports."""

    process: subprocess.Popen[bytes]
    port: int
    data_dir: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def broker_url(self) -> str:
        return (self.data_dir / str(self.port) / "url").read_text()

    @property
    def log(self) -> str:
        return (self.data_dir / "up.log").read_text()

    def pids(self, service: str) -> list[int]:
        """The processes of ``service`` that the supervisor runs, oldest first."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", service],
            check=True,
            capture_output=True,
            text=True,
        )
        return sorted(int(pid) for pid in found.stdout.split())

    async def standby(self) -> int:
        """The standby of the only worker, once it has loaded everything and is only keeping up."""
        async with asyncio.timeout(_START_S):
            while len(pids := self.pids("synth")) < 2:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)
            worked_s = [0.0]
            while worked_s[-1] < _LOADING_S or worked_s[-1] - worked_s[-2] > _KEEPING_UP_S:
                await asyncio.sleep(0.5)
                worked_s.append(sum(psutil.Process(pids[1]).cpu_times()[:2]))
        return pids[1]

    async def ready(self) -> None:
        """Wait until there is something to hear."""
        async with asyncio.timeout(_START_S):
            while not await asyncio.to_thread(answers, f"{self.url}/readyz"):
                assert self.process.poll() is None, self.log
                await asyncio.sleep(0.1)


def answers(url: str) -> bool:
    """Whether ``url`` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@asynccontextmanager
async def running_system(*flags: str, **environment: str) -> AsyncIterator[System]:
    """Start it, wait until it plays, end it with Ctrl-C and check that it ended cleanly."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir, port = Path(folder), free_port("127.0.0.1")
        with (data_dir / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "auralis", "up", "--port", str(port), "--data-dir", folder, *flags],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        system = System(process, port, data_dir)
        try:
            await system.ready()
            yield system
        finally:
            process.send_signal(signal.SIGINT)
            code = await asyncio.to_thread(process.wait, 20)
        assert code == 0, system.log
        assert "Traceback" not in system.log, system.log
