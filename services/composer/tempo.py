"""Tempo: beats as frames, and the ramp over one bar from one tempo to another.

Tempi are integers in thousandths of a beat per minute (``mbpm``), and the ramp's steps are integer roots, so
that a beat has the same number of frames on every machine.
"""

from math import isqrt
from typing import Final

import msgspec

BEATS_A_BAR: Final = 4
TICKS_A_BEAT: Final = 4  # the finest grid on which a note is planned
RAMP_BEATS: Final = BEATS_A_BAR


class Tempo(msgspec.Struct, frozen=True, array_like=True):
    """The tempo at a beat: on the way from ``start_mbpm`` to ``goal_mbpm``, ``step`` beats into the ramp."""

    start_mbpm: int
    goal_mbpm: int
    step: int = RAMP_BEATS

    @property
    def ramping(self) -> bool:
        """Whether this beat is one of the ramp's."""
        return self.step < RAMP_BEATS

    def mbpm(self, beats_ahead: int = 0) -> int:
        """The tempo ``beats_ahead`` beats after this one; the ramp's last beat has the goal's tempo."""
        taken = min(self.step + beats_ahead + 1, RAMP_BEATS)
        if not self.ramping or taken == RAMP_BEATS:
            return self.goal_mbpm
        # The fourth root of start^(4-k) · goal^k: equal ratios from beat to beat.
        return isqrt(isqrt(self.start_mbpm ** (RAMP_BEATS - taken) * self.goal_mbpm**taken))

    def beat_frames(self, sample_rate_hz: int, beats_ahead: int = 0) -> int:
        """The frames of the beat that comes ``beats_ahead`` beats after this one."""
        mbpm = self.mbpm(beats_ahead)
        return (120_000 * sample_rate_hz + mbpm) // (2 * mbpm)

    def frames_to(self, tick: int, sample_rate_hz: int) -> int:
        """The frames from the start of this beat to ``tick`` ticks later."""
        beats, ticks = divmod(tick, TICKS_A_BEAT)
        whole = sum(self.beat_frames(sample_rate_hz, beat) for beat in range(beats))
        return whole + self.beat_frames(sample_rate_hz, beats) * ticks // TICKS_A_BEAT

    def next_beat(self) -> "Tempo":
        """The tempo one beat later."""
        return Tempo(self.start_mbpm, self.goal_mbpm, self.step + 1) if self.ramping else self

    def towards(self, goal_mbpm: int) -> "Tempo":
        """A ramp from the tempo of the beat before to ``goal_mbpm``; ``self`` if that is already its goal."""
        if goal_mbpm == self.goal_mbpm:
            return self
        return Tempo(self.mbpm(-1) if self.ramping else self.goal_mbpm, goal_mbpm, 0)


def mbpm_of(bpm: float) -> int:
    """Beats per minute in thousandths."""
    return round(bpm * 1000)
