"""The rows of a batch's arrangements, stacked: those of all channels at one place after another."""

import operator
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.arrays import Array, Device
from services.synth.dsp.grid import Blocks
from services.synth.mix.arrangement import Arrangement, LivelyRows, SteadyRows
from services.synth.mix.hiss import HissStack
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

    def members(self, device: Device) -> Iterator[tuple[int, Array, NDArray[np.float64]]]:
        """Whose they are, their terms and tones; the silent ones at last."""
        yield from ((owner, rows.table, rows.tones) for owner, _, rows in self.shares)
        yield 0, arrays.on(device, _silence(self.missing)), np.zeros((4, self.missing))

    @property
    def lively(self) -> list[tuple[int, LivelyRows]]:
        """Each arrangement's, and which of the rows at all places is their first."""
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
        """Whether there are any."""
        return any(place.shares for place in self.places)

    @cached_property
    def moving(self) -> NDArray[np.intp]:
        """Rows whose levels move fast, among those at all places; filled up, too."""
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
    """The rows of ``arrangements`` at all places: all that does not change from chunk to chunk.

    ``table`` is ``[term, row]``, ``tones`` ``[4, row]``; ``owners`` says which arrangement a row is of, and
    those that fill up are the first one's.
    """

    def __init__(self, arrangements: Sequence[Arrangement], audio: AudioFormat, device: Device) -> None:
        self.arrangements = arrangements
        self.places: list[Place] = []
        for place in range(grid.PLACES):
            here = [(owner, rows) for owner, each in enumerate(arrangements) if (rows := each.places[place])]
            self.places.append(Place(self.places[-1].rows.stop if place else 0, here))
        self.places[-1].unalign()
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
        """Whether it is the stack of these very ones."""
        return len(arrangements) == len(self.arrangements) and all(
            map(operator.is_, arrangements, self.arrangements)
        )


def filled(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """Some rows, filled up to whole :data:`additive.ROWS` by repeating the last one."""
    return np.concatenate([index, np.repeat(index[-1:], -len(index) % additive.ROWS)])


@cache
def _silence(count: int) -> NDArray[np.float32]:
    return np.zeros((COUNT, count), dtype=np.float32)
