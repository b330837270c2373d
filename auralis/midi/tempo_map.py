"""Frames as MIDI ticks, through a tempo map in whole microseconds per beat.

A MIDI tempo is rounded to a microsecond per beat. Ticks are computed from the rounded tempi, as a reader of
the file computes them, so rounding errors never add up: a tick lies at most half a tick from its frame.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from auralis.score.events import Tempo

# 0.8 ms at 40 beats per minute; a multiple of the 480 and 960 that sequencers use.
TICKS_PER_BEAT: Final = 1920
_US_A_SECOND: Final = 1_000_000


class TempoMark(NamedTuple):
    """From ``tick`` on, a beat lasts ``us_per_beat``; ``elapsed``: its time, in µs × ticks per beat."""

    tick: int
    us_per_beat: int
    elapsed: int


@dataclass(frozen=True, slots=True)
class TempoMap:
    """The tempi from ``start_frame`` on; ticks count from there."""

    start_frame: int
    sample_rate_hz: int
    marks: tuple[TempoMark, ...]

    def tick(self, frame: int) -> int:
        """The tick nearest to ``frame``; 0 before the start."""
        time = max(0, frame - self.start_frame) * _US_A_SECOND * TICKS_PER_BEAT
        at = bisect_right(self.marks, time, key=lambda mark: mark.elapsed * self.sample_rate_hz) - 1
        return _tick(self.marks[at], time, self.sample_rate_hz)


def tempo_map(tempi: Sequence[Tempo], start_frame: int, sample_rate_hz: int, default_bpm: float) -> TempoMap:
    """The map of ``tempi``, in order; the last one up to ``start_frame`` applies at the start."""
    before = [tempo.bpm for tempo in tempi if tempo.at_frame <= start_frame]
    marks = [TempoMark(0, _us_per_beat(before[-1] if before else default_bpm, sample_rate_hz), 0)]
    for tempo in tempi:
        if tempo.at_frame > start_frame:
            _add(marks, tempo, start_frame, sample_rate_hz)
    return TempoMap(start_frame, sample_rate_hz, tuple(marks))


def _add(marks: list[TempoMark], tempo: Tempo, start_frame: int, sample_rate_hz: int) -> None:
    """Append the mark of ``tempo`` unless the beat already lasts that long."""
    last, us_per_beat = marks[-1], _us_per_beat(tempo.bpm, sample_rate_hz)
    if us_per_beat == last.us_per_beat:
        return
    time = (tempo.at_frame - start_frame) * _US_A_SECOND * TICKS_PER_BEAT
    tick = _tick(last, time, sample_rate_hz)
    if tick <= last.tick:  # within half a tick of the one before, which it replaces
        marks[-1] = TempoMark(last.tick, us_per_beat, last.elapsed)
        return
    marks.append(TempoMark(tick, us_per_beat, last.elapsed + (tick - last.tick) * last.us_per_beat))


def _tick(mark: TempoMark, time: int, sample_rate_hz: int) -> int:
    """The tick nearest to ``time`` (µs × ticks per beat × frames per second), not before ``mark``."""
    length = mark.us_per_beat * sample_rate_hz
    return mark.tick + (2 * (time - mark.elapsed * sample_rate_hz) + length) // (2 * length)


def _us_per_beat(bpm: float, sample_rate_hz: int) -> int:
    """Round a beat to whole frames, as the composer does, so that bar lines stay on its bars for hours."""
    beat_frames = round(60 * sample_rate_hz / bpm)
    return round(beat_frames * _US_A_SECOND / sample_rate_hz)
