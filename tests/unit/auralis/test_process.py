"""The frame around a service: signals, exit codes, one line for an error."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from auralis.errors import AuralisError, BrokerUnavailable, InvalidValue
from auralis.process import STANDBY, SUPERVISED, report, run_until_signalled, worker_name


def test_two_workers_never_share_a_name() -> None:
    assert len({worker_name() for _ in range(50)}) == 50
    assert str(os.getpid()) in worker_name()


async def _nothing() -> None:
    await asyncio.sleep(0)


async def _fail(*errors: Exception) -> None:
    if len(errors) == 1:
        raise errors[0]
    raise ExceptionGroup("several", [ExceptionGroup("tasks", list(errors))])


def test_work_that_ends_by_itself_is_done() -> None:
    assert run_until_signalled(_nothing()) == 0


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([BrokerUnavailable("away")], 1),
        ([InvalidValue("key", "H", "a key")], 2),
        ([InvalidValue("key", "H", "a key"), BrokerUnavailable("away")], 2),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], errors: list[Exception], code: int
) -> None:
    assert run_until_signalled(_fail(*errors)) == code
    assert capsys.readouterr().err == f"auralis: {errors[0]}\n"


def test_what_is_no_error_of_auralis_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_until_signalled(_fail(ZeroDivisionError("a bug")))


def test_a_report_of_several_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    report(AuralisError("first\n   second"))
    assert capsys.readouterr().err == "auralis: first second\n"


SERVICE = textwrap.dedent("""
    import asyncio, os, sys
    from auralis.process import STANDBY, promoted, run_until_signalled

    async def work():
        print("working", flush=True)
        try:
            if STANDBY in os.environ:
                await promoted()
                print("promoted", flush=True)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            print("left", flush=True)

    sys.exit(run_until_signalled(work()))
""")


@contextlib.contextmanager
def _service(**environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "working\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_service_cleanly(number: signal.Signals) -> None:
    with _service() as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("left\n", "", 0)


def test_a_service_ends_with_its_supervisor_however_that_died() -> None:
    with _service(**{SUPERVISED: "1"}) as process:
        out, err = process.communicate(timeout=10)  # closes its standard input
    assert (out, err, process.returncode) == ("left\n", "", 0)


def test_a_standby_waits_until_it_is_promoted() -> None:
    """Once promoted, it is a service like any other."""
    with _service(**{SUPERVISED: "1", STANDBY: "1"}) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 0.2)[0] == []
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "promoted\n"
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("left\n", "", 0)


def test_a_standby_ends_with_its_supervisor() -> None:
    with _service(**{SUPERVISED: "1", STANDBY: "1"}) as process:
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("left\n", "", 0)


def test_a_service_of_its_own_does_not_care_for_its_input() -> None:
    with _service() as process:
        assert process.stdin is not None
        process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
