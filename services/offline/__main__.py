"""``auralis render``: a piece from its seed, faster than real time, without a broker."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.controls import Controls
from auralis.errors import InvalidValue
from services.offline.piece import compose_piece
from services.offline.replay import replay
from services.offline.sound_file import checked_path, writing

_MAX_MINUTES: Final = 24 * 60
_MAX_SEED: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be rendered, checked.

    Raises:
        InvalidValue: naming the first value that is not allowed.
    """

    seed: int
    minutes: float
    controls: Controls
    output: Path
    audio: AudioFormat

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MAX_SEED:
            raise InvalidValue("seed", self.seed, f"0 to {_MAX_SEED}")
        if not 0 < self.minutes <= _MAX_MINUTES:
            raise InvalidValue("minutes", self.minutes, f"more than 0, at most {_MAX_MINUTES}")
        checked_path(self.output)

    @property
    def chunks(self) -> int:
        """Whole chunks of the piece, at least one."""
        return max(1, round(self.minutes * 60 * CHUNKS_PER_SECOND))


def main(order: Order) -> int:
    """Render and write; gives the exit code."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with writing(order.output, order.audio) as file:
        for pcm in _with_progress(console, _rendered(order), order.chunks):
            file.write(pcm)
    return 0


def _rendered(order: Order) -> Iterator[bytes]:
    seconds = order.chunks / CHUNKS_PER_SECOND
    score = compose_piece(order.seed, order.controls, seconds, order.audio)
    return replay(score, order.seed, order.audio, range(order.chunks))


def _with_progress(console: Console, chunks: Iterator[bytes], total: int) -> Iterator[bytes]:
    columns = (
        TextColumn("rendering"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield from progress.track(chunks, total=total)
