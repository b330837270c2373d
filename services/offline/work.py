"""What is to be rendered, and rendering a stretch of it in this process.

What is here knows no renderer: it is loaded where it is used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from auralis.audio import AudioFormat
from auralis.score.events import Batch, Layer

# The PCM of one chunk: the mix, then each stem.
Parts = tuple[bytes, ...]
# Told of so many more chunks, in whatever order, and often of none; what it raises ends the rendering.
Came = Callable[[int], None]


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


def rendered_here(work: Work, seqs: Sequence[int]) -> Iterator[Parts]:
    """The chunks ``seqs`` in this process."""
    from services.offline.piece import score_of  # noqa: PLC0415
    from services.offline.replay import replay  # noqa: PLC0415  it loads the renderer

    scores = [score_of(work.batch), *(score_of(work.batch, layer) for layer in work.layers)]
    return zip(*(replay(score, work.seed, work.audio, seqs) for score in scores), strict=True)
