"""The partials of a batch of chunks: everything about them that is elementwise, computed at once.

Most levels move so slowly that a chunk's two ends say all. Only where a note begins or ends fast, every
border is computed; so is every phase where the pitch moves.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.additive import PARTS
from services.synth.dsp.arrays import Array
from services.synth.dsp.grid import Blocks
from services.synth.mix.arrangement import Arrangement, PlaceRows
from services.synth.mix.sounding import Sounding
from services.synth.voices import levels
from services.synth.voices.columns import BEND, EARS, FAST, SLOW, Bend, Fast, Slow

# A partial that is silent, whatever is computed with it: columns that may not be 0.
_SILENT: Final = {
    Slow.CUTOFF_HZ: 1e9,
    FAST.start + Fast.ATTACK_S: 1.0,
    FAST.start + Fast.GATE_S: 1e6,
    FAST.start + Fast.RELEASE_S: 1.0,
    BEND.start + Bend.SLIDE_S: 1.0,
}


class Scene(NamedTuple):
    """A chunk of the batch and the arrangement of its voices."""

    sounding: Sounding
    arrangement: Arrangement


class _Some(NamedTuple):
    """The rows of one of the scenes at a place: from ``first`` on."""

    scene: int
    first: int
    rows: PlaceRows


class _Place:
    """The rows of all scenes at one place, filled up to whole :data:`additive.ROWS` with silent ones."""

    def __init__(self, first: int, found: Sequence[tuple[int, PlaceRows]]) -> None:
        firsts = list(accumulate((len(rows) for _, rows in found), initial=0))
        self.some = [_Some(scene, at, rows) for (scene, rows), at in zip(found, firsts, strict=False)]
        self.missing = -firsts[-1] % additive.ROWS
        self.size = firsts[-1] + self.missing
        self.rows = slice(first, first + self.size)  # of those at all places

    def unalign(self) -> None:
        """Fill up a little more if all places together had an even number of :data:`additive.ROWS`.

        Arrays whose sizes are multiples of 4096 bytes lie in memory so that to the processor their elements
        look alike (4K aliasing): what is computed with them takes up to twice as long.
        """
        if self.rows.stop % (2 * additive.ROWS) == 0:
            self.missing += additive.ROWS
            self.size += additive.ROWS
            self.rows = slice(self.rows.start, self.rows.stop + additive.ROWS)

    def tables(self, device: torch.device) -> list[Array]:
        """``[column, row]``."""
        return [*(each.rows.table for each in self.some), arrays.on(device, _silence(self.missing))]

    @property
    def tones(self) -> list[NDArray[np.float64]]:
        """``[3, row]``."""
        return [*(each.rows.tones for each in self.some), np.zeros((3, self.missing))]

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """How many rows are whose: the scene and its rows; those that fill up are the first scene's."""
        return [*((each.scene, len(each.rows)) for each in self.some), (0, self.missing)]

    @property
    def slides(self) -> bool:
        """Whether the pitch of any row slides."""
        return any(each.rows.slides for each in self.some)

    @cached_property
    def moving(self) -> NDArray[np.intp]:
        """Rows that move; filled up, too, by repeating the last one."""
        index = np.concatenate([np.zeros(0, dtype=np.intp), *(s.rows.moving + s.first for s in self.some)])
        return np.concatenate([index, np.repeat(index[-1:], -len(index) % additive.ROWS)])


class Batch:
    """The partials of ``scenes``, all that are at one place after another."""

    def __init__(self, scenes: Sequence[Scene], audio: AudioFormat, device: torch.device) -> None:
        self._scenes = scenes
        self._audio = audio
        self._device = device
        self._places: list[_Place] = []
        for place in range(grid.PLACES):
            found = [(i, rows) for i, each in enumerate(scenes) if (rows := each.arrangement.places[place])]
            self._places.append(_Place(self._places[-1].rows.stop if place else 0, found))
        self._places[-1].unalign()
        tables = [table for each in self._places for table in each.tables(device)]
        self._table = arrays.joined(tables, axis=1)
        self._scene_of = np.repeat(*np.array([size for each in self._places for size in each.sizes]).T)
        tones = np.concatenate([tones for each in self._places for tones in each.tones], axis=1)
        starts = np.array([each.sounding.start_frame for each in scenes], dtype=np.int64)
        since_frames = starts[self._scene_of] - tones[2].astype(np.int64)
        self._since_s = arrays.single(self._device, since_frames / audio.sample_rate_hz)
        turns = additive.start_turns(tones[0], tones[1], since_frames, audio.sample_rate_hz)
        self._start = arrays.phasors(arrays.single(self._device, turns))
        self._levels = self._ends()
        # All that steady partials need: ``[end and ear, row]``.
        by_ear = (self._levels[:, None] * self._table[EARS]).reshape(additive.ENDS * AUDIO_CHANNELS, -1)
        self._steady = by_ear * self._start

    def factors(self, place: int) -> list[Array | None]:
        """The left factor of each scene's products at a place: ``[row of the factor, partial and part]``."""
        here, blocks = self._places[place], grid.places(self._audio)[place]
        lively = self._lively(here, blocks) if here.size and blocks.lively else None
        found: list[Array | None] = [None] * len(self._scenes)
        for scene, first, rows in here.some:
            if lively is None:
                at = here.rows.start + first
                found[scene] = additive.steady_factor(rows.phasors, self._steady[:, at : at + len(rows)])
            else:
                found[scene] = lively[:, PARTS * first : PARTS * (first + len(rows))]
        return found

    def _lively(self, here: _Place, blocks: Blocks) -> Array:
        along = arrays.single(self._device, blocks.frames / self._audio.frames_per_chunk)[:, None]
        since_s = (
            self._since_s[here.rows]
            + arrays.single(self._device, blocks.frames / self._audio.sample_rate_hz)[:, None]
        )
        start, end = self._levels[:, here.rows]
        amplitude = levels.between(start, end, along)
        if len(moving := here.moving):
            # What moves fast is computed at every border.
            table = arrays.taken(self._table[FAST, here.rows], moving)
            level = levels.fast_levels(table, arrays.taken(since_s, moving))
            arrays.put(amplitude, moving, arrays.taken(amplitude, moving) * level)
        # Few notes slide; what no row has need not be computed.
        bend = levels.bent_turns if here.slides else levels.vibrato_turns
        phasors = self._phasors(here, blocks) * self._start[here.rows]
        phasors *= arrays.phasors(bend(self._table[BEND, here.rows], since_s))
        return additive.lively_factor(phasors, amplitude, self._table[EARS, here.rows])

    def _phasors(self, here: _Place, blocks: Blocks) -> Array:
        silence = np.zeros((len(blocks.frames), here.missing), np.complex64)
        several = [*(each.rows.phasors for each in here.some), arrays.on(self._device, silence)]
        return arrays.joined(several, axis=1)

    def _ends(self) -> Array:
        """Levels at the chunk's ends, but for what moves fast: ``[end, row]``."""
        at_ends = self._since_s + arrays.single(self._device, np.array([[0.0], [1 / CHUNKS_PER_SECOND]]))
        ends = [(*each.sounding.brightness, *each.sounding.intensity) for each in self._scenes]
        curves = arrays.single(self._device, np.array(ends).T.take(self._scene_of, axis=1))
        slow = levels.slow_levels(self._table[SLOW], at_ends, curves[:2], curves[2:])
        # A level that trembles moves.
        fast = levels.envelope_levels(self._table[FAST], at_ends)
        for here in self._places:
            if len(here.moving):
                arrays.put(fast, here.moving + here.rows.start, 1.0)
        return slow * fast


@cache
def _silence(count: int) -> NDArray[np.float32]:
    table = np.zeros((EARS.stop, count), dtype=np.float32)
    for column, value in _SILENT.items():
        table[column] = value
    return table
