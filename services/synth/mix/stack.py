"""The rows of a batch's arrangements, stacked: place by place, and at each place channel by channel."""

import operator
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.arrays import Array, Device, Float64Array
from services.synth.dsp.grid import Blocks
from services.synth.mix.arrangement import Arrangement, LivelyRows, SteadyRows
from services.synth.mix.hiss import HissStack
from services.synth.voices.terms import COUNT


class Share(NamedTuple):
    """The rows of one arrangement at a place; ``at`` is their slice of all rows there."""

    owner: int
    at: slice
    rows: LivelyRows | SteadyRows


class Place:
    """The rows of all arrangements at one place, padded to whole :data:`additive.ROWS` with silent ones.

    ``rows`` is their slice of the rows at all places.
    """

    def __init__(self, first: int, found: Sequence[tuple[int, LivelyRows | SteadyRows]]) -> None:
        ends = list(accumulate((len(rows) for _, rows in found), initial=0))
        ats = map(slice, ends[:-1], ends[1:])
        self.shares = [Share(owner, at, rows) for (owner, rows), at in zip(found, ats, strict=True)]
        self.missing = -ends[-1] % additive.ROWS
        self.rows = slice(first, first + ends[-1] + self.missing)

    def avoid_4k_aliasing(self) -> None:
        """Pad by another :data:`additive.ROWS` if all places together have an even number of them.

        Corresponding elements of arrays whose sizes are multiples of 4096 bytes have addresses that the
        processor confuses (4K aliasing): computing with them takes up to twice as long.
        """
        if self.rows.stop % (2 * additive.ROWS) == 0:
            self.missing += additive.ROWS
            self.rows = slice(self.rows.start, self.rows.stop + additive.ROWS)

    def members(self, device: Device) -> Iterator[tuple[int, Array, Float64Array]]:
        """The owner, terms and tones of each share; the silent rows at the end."""
        yield from ((owner, rows.table, rows.tones) for owner, _, rows in self.shares)
        yield 0, arrays.on(device, _silence(self.missing)), np.zeros((4, self.missing))

    @property
    def lively(self) -> list[tuple[int, LivelyRows]]:
        """The lively rows of each arrangement, and the index of their first among the rows at all places."""
        found = [(self.rows.start + at.start, rows) for _, at, rows in self.shares]
        return [(first, rows) for first, rows in found if isinstance(rows, LivelyRows)]


class Strip:
    """The lively rows at neighbouring places that have the same borders: they are computed together."""

    def __init__(self, places: Sequence[Place], blocks: Blocks, device: Device) -> None:
        self.places = places
        self.blocks = blocks
        self.rows = slice(places[0].rows.start, places[-1].rows.stop)
        self._device = device

    def __bool__(self) -> bool:
        """Whether there are any rows but padding."""
        return any(place.shares for place in self.places)

    @cached_property
    def moving(self) -> NDArray[np.intp]:
        """Which of the rows at all places have levels that move fast; padded as by :func:`filled`."""
        moving = [rows.moving + first for place in self.places for first, rows in place.lively]
        return filled(np.concatenate([np.zeros(0, dtype=np.intp), *moving]))

    @cached_property
    def phasors(self) -> Array:
        """How far each row has turned at each border: ``[border, row]``."""
        found = []
        for place in self.places:
            silence = np.zeros((len(self.blocks.frames), place.missing), np.complex64)
            found += [*(rows.phasors for _, rows in place.lively), arrays.on(self._device, silence)]
        return arrays.joined(found, axis=1)


class Stack:
    """The rows of ``arrangements`` at all places: everything that does not change from chunk to chunk.

    ``table`` is ``[term, row]``, ``tones`` ``[4, row]``; ``owners`` says which arrangement a row belongs to,
    the first one for padding.
    """

    def __init__(self, arrangements: Sequence[Arrangement], audio: AudioFormat, device: Device) -> None:
        self.arrangements = arrangements
        self.places: list[Place] = []
        for place in range(grid.PLACES):
            here = [(owner, rows) for owner, each in enumerate(arrangements) if (rows := each.places[place])]
            self.places.append(Place(self.places[-1].rows.stop if place else 0, here))
        self.places[-1].avoid_4k_aliasing()
        members = [each for place in self.places for each in place.members(device)]
        owners, tables, tones = zip(*members, strict=True)
        self.table = arrays.joined(tables, axis=1)
        self.tones = np.concatenate(tones, axis=1)
        self.owners = np.repeat(owners, [each.shape[1] for each in tones])
        self.strips = [
            Strip(self.places[on], grid.grids(audio)[on.start].blocks, device) for on in grid.strips(audio)
        ]
        self.hiss = HissStack(arrangements, device)

    def of(self, arrangements: Sequence[Arrangement]) -> bool:
        """Whether it is the stack of exactly these arrangements: the same objects, in this order."""
        return len(arrangements) == len(self.arrangements) and all(
            map(operator.is_, arrangements, self.arrangements)
        )


def filled(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices of rows, padded to whole :data:`additive.ROWS` by repeating the last one."""
    return np.concatenate([index, np.repeat(index[-1:], -len(index) % additive.ROWS)])


@cache
def _silence(count: int) -> NDArray[np.float32]:
    return np.zeros((COUNT, count), dtype=np.float32)
