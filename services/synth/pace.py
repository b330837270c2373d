"""How fast this machine renders at the moment: how long a batch takes, and how many chunks it may have."""

from collections import deque
from typing import Final

from auralis.timing import LEAD_US
from services.synth.ladder import LOOKS, TOO_BUSY
from services.synth.tracked import BATCH_CHUNKS, LONGEST_BATCH_US

_FIRST_BATCH_US: Final = 10_000
_FORGETTING: Final = 0.9
# A chunk waits for its whole batch, so batches are short while there is time enough. In longer batches a
# chunk takes less time, and longer runs need fewer escapes: so batches grow where little time is left, before
# quality is lowered, and where more is urgent than could be in time one by one. Then _BUSY_CHUNKS go together
# however long they take: on a GPU few chunks take as long as many.
_EASY_US: Final = 6_000
_EASY_CHUNKS: Final = 1
_BUSY_US: Final = 25_000
_BUSY_CHUNKS: Final = 6
_EASY_LOAD: Final = 0.75
_BUSY_LOAD: Final = TOO_BUSY
_URGENT_CHUNKS: Final = 2  # of an urgent channel: the chunk that freezes next, and an escape


class Pace:
    """How long a batch takes: a decaying maximum of recent batch times (``batch_us``).

    With it a worker on a busy machine begins a revision at a chunk that can still be in time. A worker with
    little time left has more ``chunks`` in a batch.
    """

    def __init__(self) -> None:
        self.batch_us = _FIRST_BATCH_US
        self._busy = 0.0  # 0: at ease, 1: too busy
        self._loads = deque[float](maxlen=LOOKS)
        self._chunk_us = _EASY_US / BATCH_CHUNKS

    def took(self, seconds: float, chunks: int, *, again: bool = False) -> None:
        """Note one batch; if it was rendered ``again``, which is faster, the time per chunk is not learnt."""
        lately = int(self.batch_us * _FORGETTING)
        self.batch_us = min(max(lately, int(seconds * 1e6), _FIRST_BATCH_US), LONGEST_BATCH_US)
        if not again:
            self._chunk_us = self._chunk_us * _FORGETTING + seconds * 1e6 / chunks * (1 - _FORGETTING)

    def spent(self, load: float) -> None:
        """Note the share of time spent rendering since the last call: 0 to about 1.

        A change of all channels takes a second or two; a worker counts as busy if the load lasts longer.
        """
        self._loads.append(load)
        lasting = sum(self._loads) / LOOKS
        self._busy = min(max((lasting - _EASY_LOAD) / (_BUSY_LOAD - _EASY_LOAD), 0.0), 1.0)

    def chunks(self, urgent: int = 0) -> int:
        """How many chunks the next batch may have while ``urgent`` channels have to be rendered again."""
        too_many = urgent * _URGENT_CHUNKS * self._chunk_us > LEAD_US
        busy = 1.0 if too_many else self._busy
        few = max(_EASY_US / self._chunk_us, _EASY_CHUNKS)
        many = max(_BUSY_US / self._chunk_us, _BUSY_CHUNKS)
        return min(round(few + busy * (many - few)), BATCH_CHUNKS)
