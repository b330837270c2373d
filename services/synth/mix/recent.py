"""What was needed lately: the memory of a cache of pure functions."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Several seconds of every channel's turns.
_BATCHES: Final = 40


class Recent(Generic[K, V]):
    """Keeps what one of the last batches needed; how much that is follows from what sounds."""

    def __init__(self) -> None:
        # The least recently used first, each with the batch that last needed it.
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._batch = 0

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        """Whether ``key`` is kept."""
        return key in self._kept

    def get(self, key: K) -> V | None:
        """What is kept for ``key``, or None."""
        kept = self._kept.get(key)
        return kept[0] if kept else None

    def keep(self, key: K, value: V) -> V:
        """``value``, kept for ``key`` as what this batch needed."""
        self._kept[key] = (value, self._batch)
        self._kept.move_to_end(key)
        return value

    def next_batch(self) -> None:
        """Begin a batch; drop what none of the last ones needed."""
        self._batch += 1
        while self._kept:
            key, (_, batch) = next(iter(self._kept.items()))
            if batch > self._batch - _BATCHES:
                return
            del self._kept[key]
