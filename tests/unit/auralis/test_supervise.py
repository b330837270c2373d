"""The supervisor, with small real processes in place of the services."""

import asyncio
import contextlib
import http.server
import io
import json
import os
import re
import signal
import socket
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog
from rich.console import Console

from auralis import supervise
from auralis.embedded import EmbeddedBroker
from auralis.errors import AuralisError, BrokerUnavailable, UsageError
from auralis.settings import load
from auralis.supervise import Supervisor, free_port, is_free, main

PATIENCE_S = 20.0

# Notes its start, with its settings, and its end. A standby first notes that it is ready, and starts once it
# is promoted. A file with the service's name determines its behaviour.
SERVICE = textwrap.dedent("""\
    #!/bin/sh
    name=$3
    note() { echo "$1 $name $$ $REDIS_URL $AURALIS_PORT $AURALIS_METRICS_PORT $LOG_LEVEL" >>"$NOTES"; }
    trap 'note end; exit 0' TERM
    if [ -n "$AURALIS_STANDBY" ]; then note standby; read -r _; fi
    note begin
    [ -f "$NOTES.$name" ] && exit "$(cat "$NOTES.$name")"
    while :; do sleep 0.02; done
""")


class Scene:
    """Supervised services and what they have noted."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "notes"
        self._notes.touch()
        self.output = io.StringIO()

    def says(self, name: str, exit_code: int) -> None:
        """Make services with this name exit at once with ``exit_code``."""
        Path(f"{self._notes}.{name}").write_text(str(exit_code))

    def notes(self, kind: str) -> list[list[str]]:
        """For each note of this kind: name, process id, broker, port, metrics port, log level."""
        lines = [line.split(" ") for line in self._notes.read_text().splitlines()]
        return [words for first, *words in lines if first == kind]

    def names(self, kind: str) -> list[str]:
        return [words[0] for words in self.notes(kind)]

    def supervisor(self, synth_workers: int = 1, **flags: object) -> Supervisor:
        return Supervisor(load(**flags), synth_workers, Console(file=self.output, width=200))

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not happened():  # noqa: ASYNC110  other processes
                await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def running(self, supervisor: Supervisor, services: int) -> AsyncIterator[None]:
        """The supervisor while all of its ``services`` run; then it is ended as if by Ctrl-C."""
        task = asyncio.create_task(supervisor.run())

        def all_run() -> bool:
            begun = len(self.notes("begin")) >= services
            return begun and all(service.process for service in supervisor._services)

        try:
            await self.until(lambda: all_run() or task.done())
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    program = tmp_path / "service"
    program.write_text(SERVICE)
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    for name in ("REDIS_URL", "LOG_LEVEL", "AURALIS_PORT", "AURALIS_METRICS_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(supervise.sys, "executable", str(program))
    monkeypatch.setattr(supervise, "_FIRST_BACKOFF_S", 0.0)
    return Scene(tmp_path)


async def test_every_service_is_a_process_of_its_own_and_is_told_where_things_are(
    scene: Scene, redis_url: str
) -> None:
    port = free_port("127.0.0.1")
    async with scene.running(scene.supervisor(2, redis_url=redis_url, port=port), 4):
        begun = scene.notes("begin")
    assert sorted(words[0] for words in begun) == ["composer", "gateway", "synth", "synth"]
    assert len({words[1] for words in begun}) == 4
    assert {(words[2], words[3], words[5]) for words in begun} == {(redis_url, str(port), "WARNING")}
    metrics = [words[4] for words in begun if words[0] != "gateway"]
    assert len(set(metrics)) == 3
    assert "0" not in metrics


async def test_they_are_ended_from_the_listeners_back_to_the_composer(scene: Scene, redis_url: str) -> None:
    async with scene.running(scene.supervisor(redis_url=redis_url, port=0), 3):
        pass
    assert scene.names("end") == ["gateway", "synth", "composer"]
    assert not [pid for words in scene.notes("begin") if psutil.pid_exists(pid := int(words[1]))]


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """The events that have been logged, with their fields."""
    with structlog.testing.capture_logs() as events:
        yield events


async def test_a_service_that_dies_is_started_again_and_the_others_stay(
    scene: Scene, redis_url: str, logged: list[Any]
) -> None:
    async with scene.running(scene.supervisor(redis_url=redis_url, port=0), 3):
        synth = next(int(words[1]) for words in scene.notes("begin") if words[0] == "synth")
        os.kill(synth, 9)
        await scene.until(lambda: len(scene.notes("begin")) == 4)
        assert scene.names("begin").count("synth") == 2
    event = "a service ended, starting it again"
    assert logged == [{"event": event, "log_level": "warning", "process": "synth", "signal": 9}]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standbys are started almost at once."""
    for after in ("_STANDBY_AFTER_S", "_TAKEOVER_S"):
        monkeypatch.setattr(supervise, after, 0.05)


def pids(scene: Scene, kind: str) -> list[str]:
    """The process ids of the synths, in order."""
    return [words[1] for words in scene.notes(kind) if words[0] == "synth"]


@pytest.mark.usefixtures("soon")
async def test_the_standby_of_a_sole_worker_that_dies_takes_over(
    scene: Scene, redis_url: str, logged: list[Any]
) -> None:
    """It has the same settings, and gets a standby of its own."""
    async with scene.running(scene.supervisor(redis_url=redis_url, port=0), 3):
        for workers in (1, 2, 3):
            await scene.until(lambda count=workers: len(pids(scene, "standby")) == count)
            assert len(pids(scene, "begin")) == workers
            os.kill(int(pids(scene, "begin")[-1]), 9)
            await scene.until(lambda count=workers: len(pids(scene, "begin")) == count + 1)
    assert pids(scene, "begin")[1:] == pids(scene, "standby")[:3]
    assert len({tuple(words[2:]) for words in scene.notes("begin") if words[0] == "synth"}) == 1
    assert [line["event"] for line in logged] == ["a service ended, its standby takes over"] * 3
    assert not [pid for pid in pids(scene, "standby") if psutil.pid_exists(int(pid))]


@pytest.mark.usefixtures("soon")
async def test_a_standby_that_dies_is_replaced(scene: Scene, redis_url: str) -> None:
    """If a worker dies before the replacement is ready, it is restarted like any other service."""
    async with scene.running(scene.supervisor(redis_url=redis_url, port=0), 3):
        await scene.until(lambda: len(pids(scene, "standby")) == 1)
        os.kill(int(pids(scene, "standby")[0]), 9)
        await scene.until(lambda: len(pids(scene, "standby")) == 2)
        for pid in (*pids(scene, "standby")[1:], *pids(scene, "begin")):
            os.kill(int(pid), 9)
        await scene.until(lambda: len(pids(scene, "begin")) == 2)
    assert pids(scene, "begin")[1] not in pids(scene, "standby")


@pytest.mark.usefixtures("soon")
async def test_several_workers_need_no_standby(scene: Scene, redis_url: str) -> None:
    async with scene.running(scene.supervisor(2, redis_url=redis_url, port=0), 4):
        await asyncio.sleep(0.3)
    assert pids(scene, "standby") == []


async def test_a_dead_worker_waits_while_others_take_over_and_nobody_else_does(
    scene: Scene, redis_url: str
) -> None:
    supervisor = scene.supervisor(2, redis_url=redis_url, port=0)
    async with scene.running(supervisor, 4):
        waits = [(each.name, supervisor._pause_s(each)) for each in supervisor._services]
    synth = ("synth", supervise._TAKEOVER_S)
    assert waits == [("composer", 0.0), synth, synth, ("gateway", 0.0)]
    assert [supervisor._pause_s(each) for each in supervisor._services] == [0.0] * 4  # all have ended


async def _failure(supervisor: Supervisor) -> AuralisError:
    """The single error that the supervisor ends with."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  a group around it, or the error alone
        await supervisor.run()
    error = caught.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, AuralisError)
    return error


async def test_a_service_that_can_not_start_ends_everything_with_2(scene: Scene, redis_url: str) -> None:
    scene.says("gateway", 2)
    error = await _failure(scene.supervisor(redis_url=redis_url, port=0))
    assert isinstance(error, UsageError)
    assert str(error) == "gateway can't be started, see the line above"
    assert scene.names("begin").count("gateway") == 1
    assert not [words for words in scene.notes("begin") if psutil.pid_exists(int(words[1]))]


def test_the_first_restart_is_immediate_and_each_further_one_takes_twice_as_long() -> None:
    """In seconds, up to five."""
    waits = [supervise._backoff_s(failures) for failures in range(1, 10)]
    assert waits == pytest.approx([0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


async def test_a_service_that_never_settles_is_given_up(scene: Scene, redis_url: str) -> None:
    scene.says("synth", 1)
    error = await _failure(scene.supervisor(redis_url=redis_url, port=0))
    assert str(error) == "synth ended 5 times in a row, giving up"
    assert error.exit_code == 1
    assert scene.names("begin").count("synth") == 5


async def test_a_port_in_use_is_told_before_anything_is_started(scene: Scene, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = await _failure(scene.supervisor(redis_url=redis_url, port=port))
    assert re.match(rf"can't listen on 127.0.0.1:{port}: Address already in use; choose another", str(error))
    assert scene.notes("begin") == []


async def test_a_broker_that_does_not_answer_is_told_before_anything_is_started(scene: Scene) -> None:
    url = f"redis://127.0.0.1:{free_port('127.0.0.1')}"
    assert isinstance(await _failure(scene.supervisor(redis_url=url, port=0)), BrokerUnavailable)
    assert scene.notes("begin") == []


async def test_without_a_broker_it_starts_one_of_its_own_and_ends_it_last(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_after: list[int] = []
    stop = EmbeddedBroker.stop

    async def noted(broker: EmbeddedBroker) -> None:
        stopped_after.append(len(scene.notes("end")))
        await stop(broker)

    monkeypatch.setattr(EmbeddedBroker, "stop", noted)
    async with scene.running(scene.supervisor(port=0, data_dir=tmp_path / "data"), 3):
        (url,) = {words[2] for words in scene.notes("begin")}
        assert url.startswith("unix://")
    assert stopped_after == [3]


@pytest.fixture
def talkative(scene: Scene) -> None:
    Path(".env").write_text("LOG_LEVEL=debug\n")


@pytest.mark.usefixtures("talkative")
async def test_a_log_level_of_dot_env_reaches_the_services(scene: Scene, redis_url: str) -> None:
    async with scene.running(scene.supervisor(redis_url=redis_url, port=0), 3):
        assert {words[5] for words in scene.notes("begin")} == {"DEBUG"}


@pytest.mark.parametrize("metrics_port", [0, 65_535])
async def test_services_without_a_free_port_for_metrics_have_none(
    scene: Scene, redis_url: str, metrics_port: int
) -> None:
    flags = {"redis_url": redis_url, "port": 0, "metrics_port": metrics_port}
    async with scene.running(scene.supervisor(2, **flags), 4):
        ports = [words[4] for words in scene.notes("begin")]
    assert set(ports) <= {"0", str(metrics_port)}
    assert ports.count("65535") <= 1


@pytest.fixture
def ready_gateway() -> Iterator[int]:
    """The port of a server that claims to be ready."""

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


async def test_as_soon_as_there_is_something_to_hear_it_says_where(
    scene: Scene, redis_url: str, ready_gateway: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "_listen_briefly", lambda *_: 0)
    async with scene.running(scene.supervisor(redis_url=redis_url, port=ready_gateway), 3):
        await scene.until(lambda: "Auralis plays" in scene.output.getvalue())
    assert f"open http://127.0.0.1:{ready_gateway}" in scene.output.getvalue()


class Interrupted(io.StringIO):
    """A stdout that triggers Ctrl-C as soon as it says where to listen."""

    def write(self, text: str) -> int:
        if "Auralis plays" in text:
            os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)


@pytest.mark.usefixtures("scene", "own_logging")
def test_announcements_go_to_stdout(
    redis_url: str, ready_gateway: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervise, "_listen_briefly", lambda *_: 0)
    monkeypatch.setattr(sys, "stdout", Interrupted())
    assert main(load(redis_url=redis_url, port=ready_gateway), 1) == 0
    first, last = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first.startswith(f"Auralis plays: open http://127.0.0.1:{ready_gateway} ")
    assert last == "Auralis has ended."
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("own_logging")
def test_what_happens_goes_to_stderr_in_the_form_of_logs(
    scene: Scene, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.says("synth", 1)
    assert main(load(redis_url=redis_url, port=0, log_format="json"), 1) == 1
    out, err = capsys.readouterr()
    *lines, last = err.splitlines()
    logged = [json.loads(line) for line in lines]
    assert {(line["service"], line["process"], line["exit_code"]) for line in logged} == {("up", "synth", 1)}
    assert (out, len(logged), last) == ("", 4, "auralis: synth ended 5 times in a row, giving up")


def test_a_port_is_free_until_somebody_listens() -> None:
    port = free_port("127.0.0.1")
    assert is_free("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free("127.0.0.1", port)


@pytest.mark.skipif(not socket.has_ipv6 or not is_free("::1", 0), reason="no IPv6 on this machine")
def test_a_host_may_be_of_ipv6() -> None:
    port = free_port("::1")
    with socket.create_server(("::1", port), family=socket.AF_INET6):
        assert not is_free("::1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "no such host"])
def test_a_host_that_is_not_of_this_machine_is_one_line(host: str) -> None:
    with pytest.raises(
        AuralisError, match=f"can't listen on {re.escape(host)}:0: .+; choose another"
    ) as caught:
        free_port(host)
    assert "\n" not in str(caught.value)
    assert not is_free(host, 8000)
