"""A piece as PCM, by as many processes as there are cores: each renders stretches of its own.

Audio is a pure function of the score, so a process computes for itself what a stretch owes to the past, and
the bytes are those of one process.
"""

import os
from collections.abc import Generator
from typing import Final

from services.offline.processes import rendered_by
from services.offline.work import Came, Parts, Work, rendered_here

# A process takes two seconds to start, in which one renders a minute.
_WORTH_A_PROCESS: Final = 600
# What may wait in memory for its turn, for each process: 53 MB. What a stretch owes to the past costs as
# much as some seconds of it, so they are as long as that allows.
_MOST_WAITING: Final = 3000


def rendered(work: Work, chunks: int, came: Came, processes: int | None = None) -> Generator[Parts]:
    """Chunks 0 to ``chunks`` in order; ``processes``: at most so many, by default one a core.

    Raises:
        AuralisError: a process ended before its work was done.
    """
    wanted = min(processes or cores(), max(1, chunks // _WORTH_A_PROCESS))
    if wanted == 1:
        for parts in rendered_here(work, range(chunks)):
            came(1)
            yield parts
        return
    yield from rendered_by(work, stretches(chunks, wanted, work.parts), wanted, came)


def stretches(chunks: int, processes: int, parts: int) -> list[range]:
    """The piece cut into stretches of almost one length, of which each process takes every so-manieth."""
    longest = max(1, _MOST_WAITING // parts)
    rounds = -(-chunks // (processes * longest))
    count = rounds * processes
    return [range(chunks * n // count, chunks * (n + 1) // count) for n in range(count)]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
