"""``auralis up``: every service in its own process, restarted when it dies, all stopped together."""

import asyncio
import contextlib
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from rich.console import Console

from auralis import logs
from auralis.broker import check, connect
from auralis.embedded import EmbeddedBroker
from auralis.errors import AuralisError, UsageError
from auralis.process import STANDBY, SUPERVISED, run_until_signalled
from auralis.settings import Settings, variable_of

_log = structlog.get_logger()

_STOP_S: Final = 5.0
_FIRST_BACKOFF_S: Final = 0.1
_LONGEST_BACKOFF_S: Final = 5.0
# A service that ran this long has started well: the next restart is immediate again.
_SETTLED_S: Final = 10.0
# A service that never settles is broken, not unlucky.
_GIVE_UP_AFTER: Final = 5
# A sole synth worker gets a standby only after running this long, so that its own start is not slowed down.
_STANDBY_AFTER_S: Final = 5.0
# For this long the worker that takes over a dead worker's channels needs the processor, so loading another
# process waits. A longer wait would leave that worker without a standby for longer.
_TAKEOVER_S: Final = 1.0
METRICS_PORTS: Final = {"composer": 9101, "synth": 9102}


@dataclass(slots=True)
class _Service:
    """One service process and its history.

    If it dies, its ``standby`` takes its place, with everything already loaded. Loading, and rendering the
    past, would take as long as the ring lasts.
    """

    name: str
    wants_standby: bool = False
    metrics_port: int | None = None
    process: asyncio.subprocess.Process | None = None
    standby: asyncio.subprocess.Process | None = None
    failures: int = 0
    started: float = field(default_factory=time.monotonic)
    # Whether the process was a standby before.
    promoted: bool = False

    async def start(self, environment: Mapping[str, str]) -> None:
        self.started = time.monotonic()
        standby = self._promote()
        self.promoted = standby is not None
        self.process = standby or await self._spawn(environment)

    async def start_standby(self, environment: Mapping[str, str]) -> None:
        self.standby = await self._spawn({**environment, STANDBY: "1"})

    @property
    def is_alive(self) -> bool:
        """Whether its process is alive."""
        return _is_alive(self.process)

    @property
    def has_standby(self) -> bool:
        """Whether it has a standby that is alive."""
        return _is_alive(self.standby)

    def _promote(self) -> asyncio.subprocess.Process | None:
        """Tell the standby, if it is alive, to take over, and return it."""
        found, self.standby = self.standby if self.has_standby else None, None
        if found is not None and found.stdin is not None:
            found.stdin.write(b"\n")
        return found

    async def _spawn(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "auralis",
            self.name,
            env={**os.environ, **environment, SUPERVISED: "1"},
            stdin=asyncio.subprocess.PIPE,  # closes when the supervisor dies, however it dies
            start_new_session=True,  # Ctrl-C reaches the supervisor, which ends the services in order
        )

    async def wait_until_ended(self) -> int:
        """Wait for the process to end and count the failure, starting from one again if it had settled."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        code = await self.process.wait()
        settled = time.monotonic() - self.started > _SETTLED_S
        self.failures = 1 if settled else self.failures + 1
        return code

    async def stop(self) -> None:
        for process in (self.standby, self.process):
            if process is not None and process.returncode is None:
                await _end(process)


def _is_alive(process: asyncio.subprocess.Process | None) -> bool:
    return process is not None and process.returncode is None


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _backoff_s(failures: int) -> float:
    """How long to wait after ``failures`` in a row; not at all after the first: a ring is empty in 1.8 s."""
    return min(_FIRST_BACKOFF_S * 2 ** (failures - 2), _LONGEST_BACKOFF_S) if failures > 1 else 0.0


class Supervisor:
    """Keeps the services of one machine running; announces on ``console`` where to listen."""

    def __init__(self, settings: Settings, synth_workers: int, console: Console) -> None:
        self._settings = settings
        self._port = settings.port or free_port(settings.host)
        self._console = console
        # Several workers need no standby: when one dies, the others carry on.
        synths = [_Service("synth", wants_standby=synth_workers == 1) for _ in range(synth_workers)]
        self._services = [_Service("composer"), *synths, _Service("gateway")]

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            AuralisError: the port is in use, the broker can't be reached, a service can't be started.
        """
        _listen_briefly(self._settings.host, self._port)
        async with contextlib.AsyncExitStack() as stack:
            broker = await self._own_broker(stack)
            url = broker.url if broker else str(self._settings.redis_url)
            stack.push_async_callback(self._stop)
            async with asyncio.TaskGroup() as tasks:
                for service in self._services:
                    tasks.create_task(self._keep(service, url))
                if broker:
                    tasks.create_task(broker.keep())
                tasks.create_task(self._announce())

    async def _own_broker(self, stack: contextlib.AsyncExitStack) -> EmbeddedBroker | None:
        """Start an embedded broker; None if another broker is configured and answers."""
        if self._settings.redis_url is not None:
            async with connect(self._settings.redis_url, name="auralis-up") as client:
                await check(client)
            return None
        broker = EmbeddedBroker(self._settings.data_dir / str(self._port))
        return await stack.enter_async_context(broker)

    def _environment(self, service: _Service, url: str) -> dict[str, str]:
        asked = "log_level" in self._settings.model_fields_set
        return {
            "REDIS_URL": url,
            variable_of("host"): self._settings.host,
            variable_of("port"): str(self._port),
            variable_of("device"): self._settings.device,
            variable_of("metrics_port"): str(self._metrics_port(service)),
            # Quiet unless asked: the supervisor reports what matters, and services still log what goes wrong.
            variable_of("log_level"): self._settings.log_level if asked else "WARNING",
        }

    def _metrics_port(self, service: _Service) -> int:
        """A free port, as several workers, or several systems, may run on one machine; 0: no metrics."""
        if service.name not in METRICS_PORTS or self._settings.metrics_port == 0:
            return 0
        base = self._settings.metrics_port or METRICS_PORTS[service.name]
        host = self._settings.metrics_host
        taken = {self._port, *(other.metrics_port for other in self._services if other is not service)}
        free = (p for p in range(base, min(base + 100, 65_536)) if p not in taken and is_free(host, p))
        service.metrics_port = next(free, 0)
        return service.metrics_port

    async def _keep(self, service: _Service, url: str) -> None:
        """Start a service, and restart it whenever it ends."""
        while True:
            environment = self._environment(service, url)
            await service.start(environment)
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(self._keep_standby(service, environment))
                code = await service.wait_until_ended()
                keeping.cancel()
            self._report_end(service, code)
            await asyncio.sleep(self._pause_s(service))

    def _pause_s(self, service: _Service) -> float:
        """How long to wait before ``service`` is restarted."""
        others = (other for other in self._services if other is not service and other.name == service.name)
        return max(_backoff_s(service.failures), _TAKEOVER_S if any(o.is_alive for o in others) else 0.0)

    @staticmethod
    async def _keep_standby(service: _Service, environment: Mapping[str, str]) -> None:
        """Start a standby whenever there is none, if the service wants one."""
        while service.wants_standby:
            await asyncio.sleep(_TAKEOVER_S if service.promoted else _STANDBY_AFTER_S)
            if not service.has_standby:
                with contextlib.suppress(OSError):  # no memory for another process: try later
                    await service.start_standby(environment)

    def _report_end(self, service: _Service, code: int) -> None:
        """Report that a service has ended.

        Raises:
            AuralisError: restarting it is pointless.
        """
        if code == UsageError.exit_code:
            raise UsageError(f"{service.name} can't be started, see the line above")
        if service.failures >= _GIVE_UP_AFTER:
            raise AuralisError(f"{service.name} ended {service.failures} times in a row, giving up")
        how = {"signal": -code} if code < 0 else {"exit_code": code}
        then = "its standby takes over" if service.has_standby else "starting it again"
        _log.warning(f"a service ended, {then}", process=service.name, **how)

    async def _stop(self) -> None:
        """Stop the services from the gateway back to the composer: each stops before those that feed it."""
        for service in reversed(self._services):
            await service.stop()

    async def _announce(self) -> None:
        """Print the address to open as soon as there is something to hear."""
        started = time.monotonic()
        host = "127.0.0.1" if self._settings.host in ("0.0.0.0", "::") else self._settings.host  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{self._port}"
        with self._console.status("Auralis is starting: broker, composer, synth, gateway …"):
            while not await asyncio.to_thread(_answers, f"{address}/readyz"):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)
        seconds = time.monotonic() - started
        self._console.print(
            f"Auralis plays: open [bold]{address}[/bold]  (ready in {seconds:.1f} s; Ctrl-C ends it)"
        )


def main(settings: Settings, synth_workers: int) -> int:
    """Run everything until Ctrl-C; return the exit code.

    Announcements go to stdout, and logs to stderr.
    """
    logs.configure(settings, "up")
    console = Console(highlight=False, soft_wrap=True)
    code = run_until_signalled(Supervisor(settings, synth_workers, console).run())
    if code == 0:
        console.print("Auralis has ended.")
    return code


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310  our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port(host: str) -> int:
    """An unused port of ``host``.

    Raises:
        AuralisError: no server can listen on ``host``.
    """
    return _listen_briefly(host, 0)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    try:
        _listen_briefly(host, port)
    except AuralisError:
        return False
    return True


def _listen_briefly(host: str, port: int) -> int:
    """Listen for a moment on every address that ``host`` resolves to; return the port.

    Raises:
        AuralisError: the port is in use, or ``host`` is not an address of this machine.
    """
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.create_server(address, family=family) as listening:
                port = int(listening.getsockname()[1])
    except (OSError, UnicodeError) as error:
        raise AuralisError(
            f"can't listen on {host}:{port}: {_why(error)}; "
            "choose another address or port with --host, --port, AURALIS_HOST or AURALIS_PORT"
        ) from error
    return port


def _why(error: Exception) -> str:
    """The system's message; the one from :func:`socket.create_server` repeats the address."""
    number = getattr(error, "errno", None) or 0
    return os.strerror(number) if number > 0 else str(getattr(error, "strerror", None) or error)
