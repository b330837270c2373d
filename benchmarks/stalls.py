"""When the machine itself stood still: the reference against which a late chunk is judged.

A process for each CPU sleeps 5 ms over and over, at real-time priority where that is allowed, and reports
every late wake-up. None of our processes can hold it up at that priority: if it is late, the machine stalled.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_SLEEP_S: Final = 0.005
_WORTH_TELLING_S: Final = 0.02
_PRIORITY: Final = 50


@dataclass
class Stalls:
    """Times (µs, wall clock) at which a CPU stood still, complete once the measurement has ended."""

    spans_us: list[tuple[int, int]] = field(default_factory=list)
    real_time: bool = True

    @property
    def longest_ms(self) -> float:
        """The longest stall."""
        return max((end - start for start, end in self.spans_us), default=0) / 1000

    def within(self, start_us: int, end_us: int) -> bool:
        """Whether the machine stood still at some time between ``start_us`` and ``end_us``."""
        return any(start < end_us and end > start_us for start, end in self.spans_us)


@contextmanager
def watching() -> Iterator[Stalls]:
    """Watch every CPU until the block ends."""
    stalls = Stalls()
    watchers = [
        subprocess.Popen([sys.executable, __file__, str(cpu)], stdout=subprocess.PIPE, text=True)
        for cpu in _cpus()
    ]
    try:
        yield stalls
    finally:
        for watcher in watchers:
            watcher.terminate()
            for line in watcher.communicate()[0].splitlines():
                kind, start, end = line.split()
                stalls.real_time &= kind == "real-time"
                stalls.spans_us.append((int(start), int(end)))


def _cpus() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]


def _favoured(cpu: int) -> str:
    """Pin this process to one CPU and ask for real-time priority; returns the priority it got."""
    if sys.platform != "linux":
        return "normal"
    os.sched_setaffinity(0, {cpu})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except PermissionError:
        return "normal"
    return "real-time"


def _watch(cpu: int) -> None:
    kind = _favoured(cpu)
    while True:
        before = time.time_ns()
        time.sleep(_SLEEP_S)
        woken = time.time_ns()
        late_s = (woken - before) / 1e9 - _SLEEP_S
        if late_s > _WORTH_TELLING_S:
            print(kind, woken // 1000 - int(late_s * 1e6), woken // 1000, flush=True)


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
