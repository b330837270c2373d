"""The rows of a batch's arrangements, stacked: those of all channels at one place after another."""

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.arrays import Array
from services.synth.mix.arrangement import Arrangement, LivelyRows, SteadyRows
from services.synth.voices.terms import COUNT


class Share(NamedTuple):
    """The rows of one of the arrangements at a place: ``at`` among all that are there."""

    owner: int
    at: slice
    rows: LivelyRows | SteadyRows


class Place:
    """The rows of all arrangements at one place, filled up to whole :data:`additive.ROWS` with silent ones.

    Of the rows at all places they are ``rows``.
    """

    def __init__(self, first: int, found: Sequence[tuple[int, LivelyRows | SteadyRows]]) -> None:
        ends = list(accumulate((len(rows) for _, rows in found), initial=0))
        ats = map(slice, ends[:-1], ends[1:])
        self.shares = [Share(owner, at, rows) for (owner, rows), at in zip(found, ats, strict=True)]
        self.missing = -ends[-1] % additive.ROWS
        self.rows = slice(first, first + ends[-1] + self.missing)

    def unalign(self) -> None:
        """Fill up a little more if all places together had an even number of :data:`additive.ROWS`.

        Arrays whose sizes are multiples of 4096 bytes lie in memory so that to the processor their elements
        look alike (4K aliasing): what is computed with them takes up to twice as long.
        """
        if self.rows.stop % (2 * additive.ROWS) == 0:
            self.missing += additive.ROWS
            self.rows = slice(self.rows.start, self.rows.stop + additive.ROWS)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.shares)

    @property
    def lively(self) -> list[LivelyRows]:
        """Each arrangement's."""
        return [each.rows for each in self.shares if isinstance(each.rows, LivelyRows)]

    @cached_property
    def slides(self) -> bool:
        """Whether the pitch of any row slides."""
        return any(rows.slides for rows in self.lively)

    @cached_property
    def moving(self) -> NDArray[np.intp]:
        """Rows that move; filled up, too, by repeating the last one."""
        moving = [rows.moving + each.at.start for each, rows in zip(self.shares, self.lively, strict=False)]
        index = np.concatenate([np.zeros(0, dtype=np.intp), *moving])
        return np.concatenate([index, np.repeat(index[-1:], -len(index) % additive.ROWS)])

    @cached_property
    def phasors(self) -> Array:
        """Those of lively rows: ``[border, row]``."""
        found = [rows.phasors for rows in self.lively]
        silence = np.zeros((len(found[0]), self.missing), np.complex64)
        return arrays.joined([*found, arrays.at(arrays.home_of(found[0]), silence)], axis=1)


class Stack:
    """The rows of ``arrangements`` at all places: all that does not change from chunk to chunk.

    ``table`` is ``[term, row]``, ``tones`` ``[3, row]``; ``owners`` says which arrangement a row is of, and
    those that fill up are the first one's.
    """

    def __init__(self, arrangements: Sequence[Arrangement], device: torch.device) -> None:
        self.arrangements = arrangements
        self.places: list[Place] = []
        for place in range(grid.PLACES):
            here = [(owner, rows) for owner, each in enumerate(arrangements) if (rows := each.places[place])]
            self.places.append(Place(self.places[-1].rows.stop if place else 0, here))
        self.places[-1].unalign()
        tables, tones, sizes = [], [], []
        for each in self.places:
            tables += [
                *(share.rows.table for share in each.shares),
                arrays.on(device, _silence(each.missing)),
            ]
            tones += [*(share.rows.tones for share in each.shares), np.zeros((3, each.missing))]
            sizes += [*((share.owner, len(share.rows)) for share in each.shares), (0, each.missing)]
        self.table = arrays.joined(tables, axis=1)
        self.tones = np.concatenate(tones, axis=1)
        owners, counts = zip(*sizes, strict=True)
        self.owners = np.repeat(owners, counts)

    def of(self, arrangements: Sequence[Arrangement]) -> bool:
        """Whether it is the stack of these very ones."""
        known = self.arrangements
        return len(arrangements) == len(known) and all(map(_same, arrangements, known))


def _same(one: Arrangement, other: Arrangement) -> bool:
    return one is other


@cache
def _silence(count: int) -> NDArray[np.float32]:
    return np.zeros((COUNT, count), dtype=np.float32)
