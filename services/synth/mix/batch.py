"""The partials of a batch of chunks: everything about them that is elementwise, computed at once.

Most levels move so slowly that a chunk's two ends are enough. Only where they move fast, as when a note
begins or ends, are they computed at every border. The phases of lively partials are, too.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp import additive, arrays, grid, steady
from services.synth.dsp.additive import PARTS
from services.synth.dsp.arrays import Array, Device, Home
from services.synth.mix.sounding import UNITY_GAINS, Sounding
from services.synth.mix.stack import Stack, Strip, filled
from services.synth.voices import levels
from services.synth.voices.terms import BEND, EARS, FAST, SLOW


class Batch:
    """The chunks ``soundings``, arranged as in ``stack``."""

    def __init__(
        self, soundings: Sequence[Sounding], stack: Stack, audio: AudioFormat, device: Device
    ) -> None:
        self._soundings = soundings
        self._stack = stack
        self._audio = audio
        self._device = device
        starts = np.array([each.start_frame for each in soundings], dtype=np.int64)
        freq_hz, phase_turns, onset, slid = stack.tones
        start_frames = starts.take(stack.owners)
        self._slides = slid > start_frames
        since_frames = start_frames - onset.astype(np.int64)
        self._since_s = arrays.single(device, since_frames / audio.sample_rate_hz)
        turns = additive.start_turns(freq_hz, phase_turns, since_frames, audio.sample_rate_hz)
        self._start = arrays.phasors(arrays.single(device, turns))
        self._levels = self._ends()

    def factors(self) -> list[dict[int, Array]]:
        """The left factor of each chunk's products, by grid: ``[ear and border, partial and part]``."""
        return [factors for strip in self._stack.strips for factors in self._factors(strip)]

    def peaks(self) -> dict[int, Array]:
        """The peaks of each chunk's steady partials."""
        here = self._stack.places[grid.STEADY]
        start, end = self._levels[:, here.rows]
        peaks = steady.peaks(start, end, self._start[here.rows], self._audio)
        return {owner: peaks[:, at] for owner, at, _ in here.shares}

    def _factors(self, strip: Strip) -> Iterator[dict[int, Array]]:
        """The factors on each of the strip's grids."""
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
        frames = strip.blocks.frames
        seconds = arrays.single(self._device, frames / self._audio.sample_rate_hz)[:, None]
        since_s = self._since_s[strip.rows] + seconds
        turned = strip.phasors * self._start[strip.rows]
        turned *= arrays.phasors(self._bent(strip, since_s))
        return additive.factor(turned, self._amplitudes(strip, since_s), self._stack.table[EARS, strip.rows])

    def _amplitudes(self, strip: Strip, since_s: Array) -> Array:
        """``[border, row]``: linear between the chunk's ends; fast rows: their envelope at each border."""
        along = arrays.single(self._device, strip.blocks.frames / self._audio.frames_per_chunk)[:, None]
        start, end = self._levels[:, strip.rows]
        found = levels.between(start, end, along)
        if len(strip.moving):
            moving = strip.moving - strip.rows.start
            table = arrays.taken(self._stack.table[FAST], strip.moving)
            level = levels.fast_levels(table, arrays.taken(since_s, moving))
            arrays.put(found, moving, arrays.taken(found, moving) * level)
        return found

    def _bent(self, strip: Strip, since_s: Array) -> Array:
        """What vibrato and slides add to the phase, in turns: ``[border, row]``. Few rows still slide."""
        table = self._stack.table[BEND, strip.rows]
        found = levels.vibrato_turns(table, since_s)
        sliding = filled(np.flatnonzero(self._slides[strip.rows]))
        if len(sliding):
            left = levels.slide_turns(arrays.taken(table, sliding), arrays.taken(since_s, sliding))
            arrays.put(found, sliding, arrays.taken(found, sliding) - left)
        return found

    def _ends(self) -> Array:
        """Levels at the chunk's ends, without the envelopes of rows that move fast: ``[end, row]``."""
        table, owners = self._stack.table, self._stack.owners
        at_ends = self._since_s + _ends_s(arrays.home_of(self._since_s))
        asked = levels.asked([(each.brightness, each.intensity) for each in self._soundings])
        if len(self._soundings) > 1:
            asked = asked.take(owners, axis=2)
        slow = levels.slow_levels(table[SLOW], at_ends, arrays.on(self._device, asked))
        # Without tremolo: a row that has some moves fast.
        fast = levels.envelope_levels(table[FAST], at_ends)
        for strip in self._stack.strips:
            if len(strip.moving):
                arrays.put(fast, strip.moving, 1.0)
        return self._leveled(slow * fast)

    def _leveled(self, ends: Array) -> Array:
        """Apply, in place, the gain of each row's layer at the chunk's ends."""
        for here in self._stack.places:
            for owner, at, rows in here.shares:
                gains = self._soundings[owner].gains
                if gains is not UNITY_GAINS:
                    whole = slice(here.rows.start + at.start, here.rows.start + at.stop)
                    ends[:, whole] *= arrays.single(self._device, gains[:, rows.layers])
        return ends


@cache
def _ends_s(home: Home) -> Array:
    """The ends of a chunk, in seconds from its start: ``[end, 1]``."""
    return arrays.at(home, np.array([[0.0], [1 / CHUNKS_PER_SECOND]], dtype=np.float32))
