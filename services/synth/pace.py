"""How long rendering takes here and now: when a batch will be ready, and how many chunks it may have."""

from typing import Final

from services.synth.tracked import BATCH_CHUNKS, LONGEST_BATCH_US

_FIRST_BATCH_US: Final = 10_000
_FORGETTING: Final = 0.9
# An urgent chunk waits for as long as a batch takes: it has 100 ms from a control change on, all in all.
_PATIENCE_US: Final = 25_000
_LEAST_CHUNKS: Final = 4


class Pace:
    """How long a batch takes here and now: what it took lately at worst, forgotten slowly.

    A worker on a busy machine then begins a revision at a chunk that it can still reach, and one on a slow
    machine has fewer ``chunks`` in a batch.
    """

    def __init__(self) -> None:
        self.batch_us = _FIRST_BATCH_US
        self.chunks = BATCH_CHUNKS
        self._chunk_us = _PATIENCE_US / BATCH_CHUNKS

    def took(self, seconds: float, chunks: int) -> None:
        """Note one batch."""
        lately = int(self.batch_us * _FORGETTING)
        self.batch_us = min(max(lately, int(seconds * 1e6), _FIRST_BATCH_US), LONGEST_BATCH_US)
        self._chunk_us = self._chunk_us * _FORGETTING + seconds * 1e6 / chunks * (1 - _FORGETTING)
        self.chunks = min(max(round(_PATIENCE_US / self._chunk_us), _LEAST_CHUNKS), BATCH_CHUNKS)
