"""A piece rendered by several processes."""

import os
import signal
from contextlib import closing
from multiprocessing import active_children

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.errors import AuralisError
from services.offline.interruption import Interruption
from services.offline.piece import composed, layers_of
from services.offline.processes import rendered_by
from services.offline.rendering import rendered, stretches
from services.offline.work import Work, render_in_process

AUDIO = AudioFormat()
PIECE = composed(3, Controls(), 30.0, AUDIO)
WORK = Work(PIECE, 3, AUDIO)
HALVES = [range(50), range(50, 100)]


def ignored(_: int) -> None:
    """Ignores reports of progress."""


@given(st.integers(1, 900_000), st.integers(1, 64), st.integers(1, 9))
def test_stretches_are_the_piece(chunks: int, processes: int, parts: int) -> None:
    """In order, without a gap, evenly shared among processes, none so long that it fills the memory."""
    cut = stretches(chunks, processes, parts)
    assert [seq for span in cut[:50] for seq in (span.start, span.stop)][1:-1:2] == [
        span.start for span in cut[:50]
    ][1:]
    assert (cut[0].start, cut[-1].stop) == (0, chunks)
    assert max(map(len, cut)) - min(map(len, cut)) <= 1
    assert max(map(len, cut)) <= max(1, 3000 // parts)
    assert len(cut) % processes == 0


@pytest.mark.parametrize("layers", [(), layers_of(PIECE)[:2]])
def test_the_bytes_are_those_of_one_process(layers: tuple[str, ...]) -> None:
    """Three processes, two stretches each, with and without stems: every bit is the same."""
    work = Work(PIECE, 3, AUDIO, layers)  # type: ignore[arg-type]
    spans = [range(n * 15, n * 15 + 15) for n in range(6)]
    told: list[int] = []
    assert list(rendered_by(work, spans, 3, told.append)) == list(render_in_process(work, range(90)))
    assert sum(told) == 90


def test_a_short_piece_is_worth_no_process() -> None:
    """It is done before a process could start; as many chunks as were asked for."""
    told: list[int] = []
    assert len(list(rendered(WORK, 20, told.append))) == 20
    assert told == [1] * 20


def test_an_interruption_ends_all_processes() -> None:
    """At the next chunk, leaving none behind."""
    with Interruption() as interruption:
        chunks = rendered_by(WORK, HALVES, 2, lambda _: interruption.check())
        next(chunks)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            next(chunks)
    assert children() == []


def test_a_process_that_dies_is_one_line() -> None:
    """The line has its exit code; the other processes end too."""
    chunks = rendered_by(WORK, HALVES, 2, ignored)
    next(chunks)
    for child in children():
        os.kill(child, signal.SIGKILL)
    with pytest.raises(AuralisError, match="ended early, with code -9"):
        list(chunks)
    assert children() == []


def children() -> list[int]:
    """The rendering processes that this process has started."""
    return [child.pid or 0 for child in active_children()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_waits_until_it_is_asked_for(number: signal.Signals) -> None:
    """No KeyboardInterrupt before then; afterwards everything is as before."""
    before = signal.getsignal(number)
    with Interruption() as interruption:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
    assert signal.getsignal(number) is before


def test_a_consumer_that_leaves_takes_the_processes_along() -> None:
    """A full disk, for instance, ends the loop that writes."""
    with closing(rendered_by(WORK, HALVES, 2, ignored)) as chunks:
        next(chunks)
    assert children() == []
