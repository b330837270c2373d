"""A piece as PCM, rendered by as many processes as there are cores, each with its own stretches.

Audio is a pure function of the score, so a process computes for itself the past that its stretch depends on,
and the bytes are the same as from one process.
"""

import os
from collections.abc import Generator
from typing import Final

from services.offline.processes import rendered_by
from services.offline.work import OnChunks, Parts, Work, render_in_process

# In chunks: a process takes two seconds to start, in which a running one renders a minute.
_WORTH_A_PROCESS: Final = 600
# How many chunks per process may wait in memory for their turn: 53 MB. The past that a stretch depends on
# costs as much as some seconds of the stretch, so stretches are as long as this limit allows.
_MOST_WAITING: Final = 3000


def rendered(work: Work, chunks: int, on_chunks: OnChunks, processes: int | None = None) -> Generator[Parts]:
    """The first ``chunks`` chunks, in order; ``processes`` is the most to use, by default one per core.

    Raises:
        AuralisError: a process ended before its work was done.
    """
    wanted = min(processes or cores(), max(1, chunks // _WORTH_A_PROCESS))
    if wanted == 1:
        for parts in render_in_process(work, range(chunks)):
            on_chunks(1)
            yield parts
        return
    yield from rendered_by(work, stretches(chunks, wanted, work.parts), wanted, on_chunks)


def stretches(chunks: int, processes: int, parts: int) -> list[range]:
    """Cut the piece into stretches of almost equal length, which the processes take in turn."""
    longest = max(1, _MOST_WAITING // parts)
    rounds = -(-chunks // (processes * longest))
    count = rounds * processes
    return [range(chunks * n // count, chunks * (n + 1) // count) for n in range(count)]


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
