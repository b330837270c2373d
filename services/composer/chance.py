"""Stateless chance: a decision is a hash of (seed, stream, index).

A counter-based draw can be made in any order, on any machine, and made again after a restart; a stateful
generator would tie every decision to all earlier ones. Weights are integers, because floating-point
functions may differ in their last bit between machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

_BITS: Final = 64
_PINK_OCTAVES: Final = 8


@dataclass(frozen=True, slots=True)
class Chance:
    """The draws of one ``stream`` (what is decided) of the piece ``seed``; each index is one draw."""

    seed: int
    stream: str

    def bits(self, *index: int) -> int:
        """64 uniform bits."""
        text = f"{self.seed}/{self.stream}/{'/'.join(map(str, index))}"
        return int.from_bytes(blake2b(text.encode(), digest_size=_BITS // 8).digest(), "big")

    def below(self, bound: int, *index: int) -> int:
        """A uniform integer in ``[0, bound)``; over 64 bits of ``bound`` it is coarse in its low bits."""
        return (self.bits(*index) * bound) >> _BITS

    def hits(self, permille: int, *index: int) -> bool:
        """Whether an event of this probability happens; raising ``permille`` only adds hits."""
        return self.below(1000, *index) < permille

    def spread(self, half: int, *index: int) -> int:
        """A uniform integer in ``[-half, half]``."""
        return self.below(2 * half + 1, *index) - half

    def pick(self, weights: Sequence[int], *index: int) -> int:
        """The position of one of ``weights``, drawn in proportion to them.

        Raises:
            ValueError: no weight is positive.
        """
        total = sum(weights)
        if total <= 0:
            raise ValueError(f"weights of {self.stream}: found a sum of {total}, expected a positive one")
        point = self.below(total, *index)
        for position, weight in enumerate(weights):
            point -= weight
            if point < 0:
                return position
        raise AssertionError("the point lies below the sum of the weights")

    def pink(self, half: int, index: int) -> int:
        """Noise with a 1/f spectrum over ``index`` in ``[-half, half]``: players drift, they don't jitter.

        Hennig 2011: human timing deviations are correlated over tens of seconds, and preferred to white
        noise.
        """
        octaves = range(_PINK_OCTAVES)
        total = sum(self.spread(1000, octave, (index + 37 * octave) >> octave) for octave in octaves)
        # The sum of eight uniform draws rarely exceeds 2.5 standard deviations; it is clipped there.
        return max(-half, min(half, half * total // 4000))


def between(points: Sequence[int], level: int) -> int:
    """The value at ``level`` (0–1000) on the line through equally spaced ``points``, rounded down."""
    steps = len(points) - 1
    left = min(level * steps // 1000, steps - 1)
    inside = level * steps - left * 1000
    return points[left] + (points[left + 1] - points[left]) * inside // 1000
