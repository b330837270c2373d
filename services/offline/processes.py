"""Processes that render stretches of a piece in parallel, and their results in order."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from auralis.errors import AuralisError
from services.offline.work import OnChunks, Parts, Work, render_in_process

# Chunks per message: enough for messages to cost nothing, few enough to keep the progress bar moving.
_TOGETHER: Final = 16
_POLL_S: Final = 0.2  # Ctrl-C is noticed within this time
_GRACE_S: Final = 5.0


class _Worker:
    """One process, the chunks received from it, and whether more will come."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.waiting: deque[Parts] = deque()
        self.ended = False

    def receive(self) -> int:
        """Receive one message and return its number of chunks; call it only when the connection is ready."""
        try:
            some = self.connection.recv()
        except EOFError:
            self.ended = True
            return 0
        self.waiting.extend(some)
        return len(some)


def rendered_by(work: Work, spans: Sequence[range], count: int, on_chunks: OnChunks) -> Generator[Parts]:
    """The chunks of ``spans``, in order; span n is rendered by process n modulo ``count``.

    Raises:
        AuralisError: a process ended before its work was done.
    """
    most = max(map(len, spans))
    with ExitStack() as stack:
        workers = [stack.enter_context(_running(work, list(spans[n::count]))) for n in range(count)]
        for index, span in enumerate(spans):
            due = workers[index % count]
            for _ in span:
                while not due.waiting:
                    on_chunks(_receive_some(workers, due, most))
                on_chunks(0)
                yield due.waiting.popleft()


def _receive_some(workers: Sequence[_Worker], due: _Worker, most: int) -> int:
    """Wait briefly for chunks, except from processes far ahead of their turn; return how many arrived."""
    if due.ended:
        due.process.join(_GRACE_S)
        raise AuralisError(f"a process that renders ended early, with code {due.process.exitcode}")
    readable = [w.connection for w in workers if not w.ended and (w is due or len(w.waiting) < most)]
    ready = wait(readable, timeout=_POLL_S)
    return sum(worker.receive() for worker in workers if worker.connection in ready)


@contextmanager
def _running(work: Work, spans: list[range]) -> Iterator[_Worker]:
    """A process that does not outlive the block."""
    worker = _started(work, spans)
    try:
        yield worker
    finally:
        worker.process.terminate()
        worker.process.join(_GRACE_S)
        worker.connection.close()


def _started(work: Work, spans: list[range]) -> _Worker:
    """Start a process, with SIGINT blocked: Ctrl-C reaches the whole job, but is for this process alone."""
    context = multiprocessing.get_context("spawn")  # a library's threads don't survive a fork
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_render, args=(theirs, work, spans), daemon=True)
    resource_tracker.ensure_running()  # starting it unblocks SIGINT here, so do it first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return _Worker(process, ours)


def _render(connection: Connection, work: Work, spans: list[range]) -> None:
    """Render and send; end when the reader has closed the pipe."""
    with suppress(BrokenPipeError), connection:
        for span in spans:
            chunks = render_in_process(work, span)
            while some := list(islice(chunks, _TOGETHER)):
                connection.send(some)
