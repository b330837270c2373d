"""``auralis render``: a piece from its seed, faster than real time, without a broker."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.controls import Controls
from auralis.errors import InvalidValue
from auralis.score.events import Batch
from services.offline import stems
from services.offline.piece import composed, score_of
from services.offline.progress import with_progress
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
    stems: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MAX_SEED:
            raise InvalidValue("seed", self.seed, f"0 to {_MAX_SEED}")
        if not 0 < self.minutes <= _MAX_MINUTES:
            raise InvalidValue("minutes", self.minutes, f"more than 0, at most {_MAX_MINUTES}")
        checked_path(self.output)
        if self.stems is not None:
            stems.checked_stems(self.stems, self.output)

    @property
    def chunks(self) -> int:
        """Whole chunks of the piece, at least one."""
        return max(1, round(self.minutes * 60 * CHUNKS_PER_SECOND))


def main(order: Order) -> int:
    """Render and write; gives the exit code."""
    piece = composed(order.seed, order.controls, order.chunks / CHUNKS_PER_SECOND, order.audio)
    if order.stems is None:
        _write(order, piece)
    else:
        _write_stems(order, order.stems, piece)
    return 0


def _write(order: Order, piece: Batch) -> None:
    chunks = replay(score_of(piece), order.seed, order.audio, range(order.chunks))
    with writing(order.output, order.audio) as file:
        for pcm in with_progress(chunks, order.chunks):
            file.write(pcm)


def _write_stems(order: Order, folder: Path, piece: Batch) -> None:
    chunks = stems.rendered(piece, order.seed, order.audio, range(order.chunks))
    with stems.writing_stems(folder, order.output, piece, order.audio) as files:
        for parts in with_progress(chunks, order.chunks):
            for file, pcm in zip(files, parts, strict=True):
                file.write(pcm)
