"""How long rendering takes here and now: when a batch will be ready, and how many chunks it may have."""

from typing import Final

from services.synth.tracked import BATCH_CHUNKS, LONGEST_BATCH_US

_FIRST_BATCH_US: Final = 10_000
_FORGETTING: Final = 0.9
# An urgent chunk waits for as long as a batch takes: it has 100 ms from a control change on, all in all. Where
# much waits it may take longer, since the more chunks are rendered together the less each one takes.
_SHORT_US: Final = 12_000
_LONG_US: Final = 25_000
_LEAST_CHUNKS: Final = 3
# What waits is rendered in so many batches at least.
_BATCHES: Final = 8


class Pace:
    """How long a batch takes here and now: what it took lately at worst, forgotten slowly.

    A worker on a busy machine then begins a revision at a chunk that it can still reach, and one on a slow
    machine has fewer chunks in a batch.
    """

    def __init__(self) -> None:
        self.batch_us = _FIRST_BATCH_US
        self._chunk_us = _SHORT_US / BATCH_CHUNKS

    def took(self, seconds: float, chunks: int) -> None:
        """Note one batch."""
        lately = int(self.batch_us * _FORGETTING)
        self.batch_us = min(max(lately, int(seconds * 1e6), _FIRST_BATCH_US), LONGEST_BATCH_US)
        self._chunk_us = self._chunk_us * _FORGETTING + seconds * 1e6 / chunks * (1 - _FORGETTING)

    def chunks(self, waiting: int) -> int:
        """How many chunks the next batch may have, of so many that are to be rendered."""
        few, many = (round(limit_us / self._chunk_us) for limit_us in (_SHORT_US, _LONG_US))
        return min(max(few, min(many, waiting // _BATCHES), _LEAST_CHUNKS), BATCH_CHUNKS)
