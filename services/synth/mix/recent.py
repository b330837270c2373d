"""What was needed recently: the store of a cache of pure functions."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Three seconds of every channel: voices are built less than this ahead of their onset.
_ROUNDS: Final = 30


class Recent(Generic[K, V]):
    """Keeps what one of the last rounds needed; its size follows from what sounds.

    A round is one turn of every channel, in however many batches.
    """

    def __init__(self) -> None:
        # The least recently used first, each with the round that last needed it.
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._round = 0

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
        """Keep ``value`` for ``key`` as needed in this round, and return it."""
        self._kept[key] = (value, self._round)
        self._kept.move_to_end(key)
        return value

    def next_round(self) -> None:
        """Begin a round; drop what none of the last rounds needed."""
        self._round += 1
        while self._kept:
            key, (_, last) = next(iter(self._kept.items()))
            if last > self._round - _ROUNDS:
                return
            del self._kept[key]
