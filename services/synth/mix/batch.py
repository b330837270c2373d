"""The partials of a batch of chunks: everything about them that is elementwise, computed at once.

Most levels move so slowly that a chunk's two ends say all. Only where a note begins or ends fast, every
border is computed; so is every phase where the pitch moves.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp import additive, arrays, grid, steady
from services.synth.dsp.additive import PARTS
from services.synth.dsp.arrays import Array
from services.synth.mix.sounding import WHOLE, Sounding
from services.synth.mix.stack import Stack, Strip
from services.synth.voices import levels
from services.synth.voices.terms import BEND, EARS, FAST, SLOW


class Batch:
    """The chunks ``soundings``, whose arrangements are those of ``stack``."""

    def __init__(
        self, soundings: Sequence[Sounding], stack: Stack, audio: AudioFormat, device: torch.device
    ) -> None:
        self._soundings = soundings
        self._stack = stack
        self._audio = audio
        self._device = device
        starts = np.array([each.start_frame for each in soundings], dtype=np.int64)
        freq_hz, phase_turns, onset = stack.tones
        since_frames = starts.take(stack.owners) - onset.astype(np.int64)
        self._since_s = arrays.single(device, since_frames / audio.sample_rate_hz)
        turns = additive.start_turns(freq_hz, phase_turns, since_frames, audio.sample_rate_hz)
        self._start = arrays.phasors(arrays.single(device, turns))
        self._levels = self._ends()

    def factors(self) -> list[dict[int, Array]]:
        """The left factor of each chunk's products, by grid: ``[ear and border, partial and part]``."""
        return [factors for strip in self._stack.strips for factors in self._factors(strip)]

    def peaks(self) -> dict[int, Array]:
        """Those of each chunk's steady partials."""
        here = self._stack.places[grid.STEADY]
        start, end = self._levels[:, here.rows]
        peaks = steady.peaks(start, end, self._start[here.rows], self._audio)
        return {owner: peaks[:, at] for owner, at, _ in here.shares}

    def _factors(self, strip: Strip) -> Iterator[dict[int, Array]]:
        """Those of each of the strip's grids."""
        if not strip:
            yield from ({} for _ in strip.places)
            return
        left = self._lively(strip)
        for place in strip.places:
            first = place.rows.start - strip.rows.start
            yield {
                owner: left[:, PARTS * (first + at.start) : PARTS * (first + at.stop)]
                for owner, at, _ in place.shares
            }

    def _lively(self, strip: Strip) -> Array:
        table, frames = self._stack.table[:, strip.rows], strip.blocks.frames
        along = arrays.single(self._device, frames / self._audio.frames_per_chunk)[:, None]
        seconds = arrays.single(self._device, frames / self._audio.sample_rate_hz)[:, None]
        since_s = self._since_s[strip.rows] + seconds
        start, end = self._levels[:, strip.rows]
        amplitude = levels.between(start, end, along)
        if len(strip.moving):
            # What moves fast is computed at every border.
            moving = strip.moving - strip.rows.start
            level = levels.fast_levels(arrays.taken(table[FAST], moving), arrays.taken(since_s, moving))
            arrays.put(amplitude, moving, arrays.taken(amplitude, moving) * level)
        # Few notes slide; what no row has need not be computed.
        bend = levels.bent_turns if strip.slides else levels.vibrato_turns
        phasors = strip.phasors * self._start[strip.rows]
        phasors *= arrays.phasors(bend(table[BEND], since_s))
        return additive.factor(phasors, amplitude, table[EARS])

    def _ends(self) -> Array:
        """Levels at the chunk's ends, but for what moves fast: ``[end, row]``."""
        table, owners = self._stack.table, self._stack.owners
        at_ends = self._since_s + arrays.single(self._device, np.array([[0.0], [1 / CHUNKS_PER_SECOND]]))
        asked = np.stack([levels.asked(each.brightness, each.intensity) for each in self._soundings], axis=2)
        if len(self._soundings) > 1:
            asked = asked.take(owners, axis=2)
        slow = levels.slow_levels(table[SLOW], at_ends, arrays.on(self._device, asked))
        # A level that trembles moves.
        fast = levels.envelope_levels(table[FAST], at_ends)
        for strip in self._stack.strips:
            if len(strip.moving):
                arrays.put(fast, strip.moving, 1.0)
        return self._leveled(slow * fast)

    def _leveled(self, ends: Array) -> Array:
        """As loud as each layer is at the chunk's ends."""
        for here in self._stack.places:
            for owner, at, rows in here.shares:
                gains = self._soundings[owner].gains
                if gains is not WHOLE:
                    whole = slice(here.rows.start + at.start, here.rows.start + at.stop)
                    ends[:, whole] *= arrays.single(self._device, gains[:, rows.layers])
        return ends
