"""The description of a rendering, and a function that renders a stretch of it in this process.

This module does not import the renderer, which is loaded only where it is used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from auralis.audio import AudioFormat
from auralis.score.events import Batch, Layer

# The PCM of one chunk: the mix, then each stem.
Parts = tuple[bytes, ...]
# Called with the number of further chunks done, in any order, often zero; an exception ends the rendering.
OnChunks = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What to render: the mix of ``batch``, and a stem for each of ``layers``."""

    batch: Batch
    seed: int
    audio: AudioFormat
    layers: tuple[Layer, ...] = ()

    @property
    def parts(self) -> int:
        """The number of files that each chunk goes into."""
        return 1 + len(self.layers)


def render_in_process(work: Work, seqs: Sequence[int]) -> Iterator[Parts]:
    """Render the chunks ``seqs`` in this process."""
    from services.offline.piece import score_of  # noqa: PLC0415
    from services.offline.replay import replay  # noqa: PLC0415  it loads the renderer

    scores = [score_of(work.batch), *(score_of(work.batch, layer) for layer in work.layers)]
    return zip(*(replay(score, work.seed, work.audio, seqs) for score in scores), strict=True)
