"""A piece as PCM, by as many processes as there are cores: each renders stretches of its own.

Audio is a pure function of the score, so a process computes for itself what a stretch owes to the past, and
the bytes are those of one process. What starts here knows no torch: it is loaded where it is used.
"""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from auralis.audio import AudioFormat
from auralis.score.events import Batch, Layer

# The PCM of one chunk: the mix, then each stem.
Parts = tuple[bytes, ...]
# Told of so many more chunks, in whatever order, and often of none; what it raises ends the rendering.
Came = Callable[[int], None]

# A process takes two seconds to start, in which one renders a minute.
_WORTH_A_PROCESS: Final = 600
# What may wait in memory for its turn, for each process: 53 MB. What a stretch owes to the past costs as
# much as some seconds of it, so they are as long as that allows.
_MOST_WAITING: Final = 3000


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be rendered: the mix of ``batch``, and of each of ``layers`` a stem."""

    batch: Batch
    seed: int
    audio: AudioFormat
    layers: tuple[Layer, ...] = ()

    @property
    def parts(self) -> int:
        """How many files one chunk goes into."""
        return 1 + len(self.layers)


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
    from services.offline.processes import rendered_by  # noqa: PLC0415  only where there are several

    yield from rendered_by(work, stretches(chunks, wanted, work.parts), wanted, came)


def rendered_here(work: Work, seqs: Sequence[int]) -> Iterator[Parts]:
    """The chunks ``seqs`` in this process."""
    from services.offline.piece import score_of  # noqa: PLC0415
    from services.offline.replay import replay  # noqa: PLC0415  it loads torch

    scores = [score_of(work.batch), *(score_of(work.batch, layer) for layer in work.layers)]
    return zip(*(replay(score, work.seed, work.audio, seqs) for score in scores), strict=True)


def stretches(chunks: int, processes: int, parts: int) -> list[range]:
    """The piece cut into stretches of almost one length, of which each process takes every so-manieth."""
    longest = max(1, _MOST_WAITING // parts)
    rounds = -(-chunks // (processes * longest))
    count = rounds * processes
    return [range(chunks * n // count, chunks * (n + 1) // count) for n in range(count)]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
