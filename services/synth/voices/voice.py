"""A voice: everything about a note that does not change while it sounds, and which of it matters when."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp import additive, grid, steady
from services.synth.dsp.additive import Waves
from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.steady import Spread
from services.synth.voices.columns import BEND, EARS, FAST, SLOW, Bend, Hiss
from services.synth.voices.hiss_terms import hiss_terms_of
from services.synth.voices.terms import terms_of

K = TypeVar("K", Waves, Spread)

# A struck or sliding note needs the full grid's finer borders for this long.
YOUNG_S: Final = 0.1
# After this many of its time constants a slide is as near to its end as single precision can tell.
_SLID: Final = 17.0
# The upper ends of the ranges of brightness in which the same partials are too quiet to be heard.
BRIGHTNESSES: Final = (0.25, 0.375, 0.5, 0.625, 0.75, 1.0)
_ROUNDING: Final = 1e-9  # by which a computed brightness may exceed the end of its range
_MIDDLE_BRIGHTNESS: Final = 2
# When these shares of a note's partials have died (or risen), they are left out (or no longer computed as
# moving): few steps, because each time part of the channel's tables is rebuilt.
_THINNED: Final = (0.33, 0.67)
_CALMED: Final = (0.5, 1.0)
# Removals are deferred to the next multiple of this, plus an offset by channel: so the voices of a channel
# change together and its tables are rebuilt once, and channels that began together change at different times.
_EASED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Rows:
    """Partials: ``table`` ``[column, partial]``, frequency and phase ``[partial]``."""

    table: NDArray[np.float32]
    freq_hz: Float64Array
    phase_turns: Float64Array

    def __len__(self) -> int:
        """The number of partials."""
        return len(self.freq_hz)

    @property
    def slow(self) -> NDArray[np.float32]:
        """``[partial, Slow]``, the same memory."""
        return self.table[SLOW].T

    @property
    def fast(self) -> NDArray[np.float32]:
        """``[partial, Fast]``, the same memory."""
        return self.table[FAST].T

    @property
    def bend(self) -> NDArray[np.float32]:
        """``[partial, Bend]``, the same memory."""
        return self.table[BEND].T

    @property
    def stereo(self) -> NDArray[np.float32]:
        """Gains ``[partial, ear]``, the same memory."""
        return self.table[EARS].T

    def where(self, keep: NDArray[np.bool_]) -> "Rows":
        """The partials that ``keep`` selects."""
        return Rows(self.table.compress(keep, axis=1), self.freq_hz[keep], self.phase_turns[keep])


@dataclass(frozen=True, slots=True, eq=False)
class AtPlace(Generic[K]):
    """Partials as they are rendered at one place of :mod:`services.synth.dsp.grid`, by their ``kernel``.

    ``table`` holds their :mod:`services.synth.voices.terms`. ``tones`` (``[4, partial]``) are frequency (Hz),
    phase (turns), the frame of the onset, and the frame until which the pitch slides (0: it doesn't). The
    phase is the one at the onset if the pitch had always been where it slides to; for steady partials it is
    advanced by the distance from a chunk's start to its centre.
    """

    table: NDArray[np.float32]
    tones: Float64Array
    kernel: K

    def __len__(self) -> int:
        """The number of partials."""
        return int(self.table.shape[1])

    def only(self, index: NDArray[np.intp]) -> "AtPlace[K]":
        """The partials at ``index``."""
        return AtPlace(
            self.table.take(index, axis=1), self.tones.take(index, axis=1), self.kernel.only(index)
        )


class Part(NamedTuple, Generic[K]):
    """Partials at one place; ``moving`` marks levels too fast to be interpolated between a chunk's ends."""

    rows: AtPlace[K]
    moving: NDArray[np.bool_]

    def __len__(self) -> int:
        """The number of partials."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Which partials of a voice are rendered, and at which place, over a span in which neither changes.

    It holds for chunks that begin in ``[since, until)``. ``lively`` are the lively partials on each of the
    grids; ``hiss_moves`` marks noise whose levels are too fast to be interpolated between a chunk's ends.
    """

    since: float
    until: float
    lively: tuple[Part[Waves] | None, ...]
    steady: Part[Spread] | None
    hiss_moves: bool

    @property
    def parts(self) -> tuple[Part[Waves] | Part[Spread] | None, ...]:
        """The partials at each of the places."""
        return (*self.lively, self.steady)


@dataclass(frozen=True, eq=False)
class Timing:
    """Frames, from the channel's epoch, at which something about a voice changes.

    Until ``settled`` all partials need the full grid; at ``released`` the gate closes; at ``silent`` nothing
    is left. Each partial has an end for each range of :data:`BRIGHTNESSES` (``ends``, ``[range, partial]``).
    It moves fast until it has ``risen`` and, if it ``falls``, again after ``released``; so does the noise.
    """

    at: int
    settled: int
    released: int
    silent: int
    ends: NDArray[np.int64]
    risen: NDArray[np.int64]
    falls: NDArray[np.bool_]
    hiss_risen: int
    hiss_falls: bool

    def where(self, keep: NDArray[np.bool_]) -> "Timing":
        """The timing of the partials that ``keep`` selects."""
        return replace(self, ends=self.ends[:, keep], risen=self.risen[keep], falls=self.falls[keep])

    @cached_property
    def thinner(self) -> tuple[int, ...]:
        """The frames from which partials that have ended are left out."""
        return _quantiles(self.ends[_MIDDLE_BRIGHTNESS], _THINNED)

    @cached_property
    def calmer(self) -> tuple[int, ...]:
        """The frames from which partials that have risen no longer count as moving."""
        return _quantiles(self.risen, _CALMED)


def brightness_range(brightness: float) -> int:
    """The index of the range of :data:`BRIGHTNESSES` that ``brightness`` lies in."""
    return min(bisect_right(BRIGHTNESSES, brightness - _ROUNDING), len(BRIGHTNESSES) - 1)


def _quantiles(frames: NDArray[np.int64], shares: tuple[float, ...]) -> tuple[int, ...]:
    last = len(frames) - 1
    inner = np.sort(frames)
    return tuple(sorted({int(inner[math.ceil(share * last)]) for share in shares})) if last >= 0 else ()


@dataclass(frozen=True, eq=False)
class Voice:
    """Partials and noise bands (``[part, band, Hiss]``) of one note, or of a second of its grains.

    ``channel`` is any number that is common to the voices of a channel.
    """

    channel: int
    layer: str
    timing: Timing
    rows: Rows
    hiss: NDArray[np.float32]
    audio: AudioFormat
    # Stages by age and range of brightness; by place the partials last rendered there, and their indices.
    _stages: dict[tuple[int, int], Stage] = field(default_factory=dict, repr=False)
    _placed: dict[int, tuple[NDArray[np.intp], AtPlace[Any]]] = field(default_factory=dict, repr=False)

    @property
    def finite(self) -> bool:
        """Whether every value in its tables is finite."""
        rows = self.rows
        tables = (rows.table, rows.freq_hz, rows.phase_turns, self.hiss)
        return all(bool(np.isfinite(table).all()) for table in tables)

    @cached_property
    def _borders(self) -> list[int]:
        """The chunk starts between which nothing changes."""
        timing, last = self.timing, self.audio.frames_per_chunk - 1
        eased = map(self._moment, (timing.hiss_risen, *timing.thinner, *timing.calmer))
        closing = [timing.released - last] if timing.falls.any() or timing.hiss_falls else []
        return sorted({timing.settled, *closing, *eased})

    @cached_property
    def gone(self) -> int:
        """The frame from which the voice is left out; it is silent by then."""
        return self._moment(self.timing.silent)

    def _moment(self, frame: int) -> int:
        """The first frame from ``frame`` on at which the channel may remove anything (see ``_EASED_S``)."""
        step = self.audio.frames(_EASED_S)
        phase = self.channel % CHUNKS_PER_SECOND * self.audio.frames_per_chunk
        return frame + (phase - frame) % step

    def rest(self) -> None:
        """Release the tables that only a sounding voice needs; they are rebuilt if asked for again."""
        if self._stages:
            self._stages.clear()
            self._placed.clear()

    def stage(self, start_frame: int, brightness: float) -> Stage:
        """The stage for the chunk from ``start_frame`` on, in which brightness is at most ``brightness``.

        The very same object for as long as nothing changes.
        """
        age, bright = bisect_right(self._borders, start_frame), brightness_range(brightness)
        found = self._stages.get((age, bright))
        return found or self._begun(age, bright)

    def _begun(self, age: int, bright: int) -> Stage:
        # No chunk that is rendered again needs a stage of two ages ago.
        for old in [key for key in self._stages if key[0] < age - 1]:
            del self._stages[old]
        timing = self.timing
        begin = self._borders[age - 1] if age else timing.at
        closing = begin > timing.released - self.audio.frames_per_chunk
        moves = (timing.risen > begin) | (timing.falls & closing)
        alive = timing.ends[bright] > begin
        *lively, at_rest = self._parts(alive, moves, young=begin < timing.settled)
        hiss_moves = timing.hiss_risen > begin or (timing.hiss_falls and closing)
        since = self._borders[age - 1] if age else -math.inf
        until = self._borders[age] if age < len(self._borders) else math.inf
        found = self._stages[age, bright] = Stage(since, until, tuple(lively), at_rest, hiss_moves)
        return found

    def _parts(
        self, alive: NDArray[np.bool_], moves: NDArray[np.bool_], *, young: bool
    ) -> Iterator[Part[Any] | None]:
        """The partials at each place; ``young`` lively partials are all on the full grid."""
        places = np.where(moves | self._free, 0 if young else self._homes, grid.STEADY)
        places[~alive] = grid.PLACES
        counts = np.bincount(places, minlength=grid.PLACES).tolist()
        for left in [place for place in self._placed if not counts[place]]:
            del self._placed[left]
        for place, count in enumerate(counts[: grid.PLACES]):
            yield self._part(place, np.flatnonzero(places == place), moves) if count else None

    def _part(self, place: int, index: NDArray[np.intp], moves: NDArray[np.bool_]) -> Part[Any]:
        """The partials ``index`` at a place; taken from those last rendered there, if these include them."""
        before, rows = self._placed.get(place, (index[:0], None))
        at = before.searchsorted(index)
        if rows is None or at[-1] == len(before) or not np.array_equal(before[at], index):
            rows = self._computed(index, place)
        elif len(index) < len(before):
            rows = rows.only(at)
        self._placed[place] = index, rows
        return Part(rows, moves[index])

    def _computed(self, index: NDArray[np.intp], place: int) -> AtPlace[Any]:
        tones = self._tones.take(index, axis=1)
        freq_hz = tones[0]
        if place == grid.STEADY:
            kernel: Waves | Spread = steady.spread(freq_hz, self.audio)
            tones[1] += freq_hz * self.audio.seconds(steady.centre(self.audio))
        else:
            kernel = additive.waves(freq_hz, grid.grids(self.audio)[place].blocks)
        tones[1] %= 1.0
        return AtPlace(self._terms.take(index, axis=1), tones, kernel)

    @cached_property
    def _tones(self) -> Float64Array:
        """The ``tones`` of :class:`AtPlace`, ``[4, partial]``, of all partials; phases may exceed a turn."""
        bend, at = self.rows.table[BEND].astype(float), float(self.timing.at)
        slides_s = (bend[Bend.DELAY_S] + _SLID * bend[Bend.SLIDE_S]) * self.audio.sample_rate_hz
        slid = np.where(bend[Bend.SLIDE_TURNS], at + slides_s, 0.0)
        phase_turns = self.rows.phase_turns + bend[Bend.SLIDE_TURNS]
        return np.stack([self.rows.freq_hz, phase_turns, np.full(len(slid), at), slid])

    @cached_property
    def _terms(self) -> NDArray[np.float32]:
        return terms_of(self.rows.table)

    @cached_property
    def hiss_terms(self) -> NDArray[np.float32]:
        """The terms of the noise bands: ``[term, noise and band]``."""
        return hiss_terms_of(self.hiss)

    @cached_property
    def hiss_gains(self) -> NDArray[np.float32]:
        """The highest gain of its noises in each band: ``[band]``."""
        gains: NDArray[np.float32] = self.hiss[..., Hiss.GAIN].max(axis=0)
        return gains

    @cached_property
    def hiss_power(self) -> NDArray[np.float32]:
        """The share of each noise's power at each ear: ``[ear, noise]``."""
        power: NDArray[np.float32] = self.hiss[:, 0, [Hiss.LEFT, Hiss.RIGHT]].T ** 2
        return power

    @cached_property
    def _free(self) -> NDArray[np.bool_]:
        """Which partials are never steady: those whose pitch moves, or is too low."""
        bends = np.any(self.rows.bend[:, [Bend.VIBRATO_TURNS, Bend.SLIDE_TURNS]] != 0, axis=1)
        return np.asarray(bends | (self.rows.freq_hz < steady.lowest_hz(self.audio)))

    @cached_property
    def _homes(self) -> NDArray[np.intp]:
        """The grid that each partial's frequency belongs to."""
        return np.asarray(np.argmax([on.holds(self.rows.freq_hz) for on in grid.grids(self.audio)], axis=0))
