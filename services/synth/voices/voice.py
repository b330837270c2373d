"""A voice: everything about a note that does not change while it sounds, and when which of it matters."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp import additive
from services.synth.dsp.grid import Grid

# A struck or sliding note needs the full grid's finer borders for so long.
YOUNG_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Rows:
    """Partials: tables ``[partial, Slow | Fast | Bend]``, gains ``[partial, ear]``, frequency and phase."""

    slow: NDArray[np.float32]
    fast: NDArray[np.float32]
    bend: NDArray[np.float32]
    stereo: NDArray[np.float32]
    freq_hz: NDArray[np.float64]
    phase_turns: NDArray[np.float64]

    def __len__(self) -> int:
        """Partials."""
        return len(self.freq_hz)

    def where(self, keep: NDArray[np.bool_]) -> "Rows":
        """Those partials only."""
        return Rows(
            self.slow[keep],
            self.fast[keep],
            self.bend[keep],
            self.stereo[keep],
            self.freq_hz[keep],
            self.phase_turns[keep],
        )


@dataclass(frozen=True, slots=True)
class OnGrid:
    """Rows as one grid renders them; ``bases`` and ``turns`` as in :mod:`services.synth.dsp.additive`."""

    rows: Rows
    bases: NDArray[np.float32]
    turns: NDArray[np.float32]

    def where(self, keep: NDArray[np.bool_]) -> "OnGrid":
        """Those partials only."""
        return OnGrid(self.rows.where(keep), self.bases[keep], self.turns[keep])


@dataclass(frozen=True)
class Timing:
    """Frames, from the channel's epoch, at which something about a voice changes.

    Until ``settled`` all partials need the full grid, until ``risen`` levels move fast, from ``falling`` on
    they fall fast; nothing is left at ``silent``. Partials end one by one (``ends``; none given: all of them
    with the voice); those that have are left out from the times in ``thinner`` on.
    """

    at: int
    settled: int
    risen: int
    falling: int
    silent: int
    thinner: tuple[int, ...] = ()
    ends: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Voice:
    """Partials and noise bands (``[part, band, Hiss]``) of one note, or of a second of its grains."""

    layer: str
    timing: Timing
    rows: Rows
    hiss: NDArray[np.float32]
    # Whether levels move fast all the time (decay, tremolo), and whether the pitch does.
    lively: bool
    bends: bool
    # Computed when first needed: by grid and age, and what the ages leave out of by grid and youth.
    _grids: dict[tuple[int, int], OnGrid] = field(default_factory=dict, repr=False)
    _wholes: dict[tuple[int, bool], OnGrid] = field(default_factory=dict, repr=False)

    @property
    def finite(self) -> bool:
        """Whether there is nothing in its tables that is no number."""
        rows = self.rows
        tables = (rows.slow, rows.fast, rows.bend, rows.stereo, rows.freq_hz, rows.phase_turns, self.hiss)
        return all(bool(np.isfinite(table).all()) for table in tables)

    def on(self, grid: Grid, start_frame: int) -> OnGrid:
        """The partials that ``grid`` renders in the chunk that begins at ``start_frame``."""
        timing = self.timing
        age = sum(start_frame >= frame for frame in (timing.settled, *timing.thinner))
        found = self._grids.get((grid.divisor, age))
        return found or self._placed(grid, age, start_frame)

    def _placed(self, grid: Grid, age: int, start_frame: int) -> OnGrid:
        young = start_frame < self.timing.settled
        here = np.full(len(self.rows), grid.divisor == 1) if young else grid.holds(self.rows.freq_hz)
        whole = self._wholes.get((grid.divisor, young))
        if whole is None:
            whole = self._wholes[grid.divisor, young] = _computed(self.rows.where(here), grid)
        begun = max((frame for frame in self.timing.thinner if frame <= start_frame), default=0)
        if self.timing.ends is not None and begun:
            whole = whole.where(self.timing.ends[here] > begun)
        # What it was two ages ago is needed by no chunk that is rendered again.
        self._grids.pop((grid.divisor, age - 2), None)
        if age > 1:
            self._wholes.pop((grid.divisor, True), None)
        self._grids[grid.divisor, age] = whole
        return whole

    def moves(self, start_frame: int, end_frame: int) -> bool:
        """Whether levels move so fast that the chunk's ends do not say all."""
        return self.lively or start_frame < self.timing.risen or end_frame > self.timing.falling


def _computed(rows: Rows, grid: Grid) -> OnGrid:
    bases = additive.basis(rows.freq_hz, rows.stereo, grid)
    return OnGrid(rows, bases, additive.border_turns(rows.freq_hz, grid))
