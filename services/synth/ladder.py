"""The ladder of quality: when a worker asks for less, and when for more again. Pure: time and load are given.

It goes down at once and comes back slowly. The load at which it goes down exceeds the load at which it may
come up by more than a step saves, so it does not swing between two steps. It decides at *looks*, about one a
second.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.synth.quality import STEPS, step_of

# Loads are shares of time spent rendering. Above this one the ring drains as soon as anything intervenes.
TOO_BUSY: Final = 0.9
# Below this one there is room for one more step.
AT_EASE: Final = 0.6
# Chunks that are missing or late at a load below this one are so for another reason.
BUSY: Final = 0.5
# Late chunks (rendered from an older score) count as trouble after this many looks in a row. They only mean
# that a change is heard a little later, and where many channels change at once that passes within a look;
# less quality would cost faint partials for a minute.
LATE_LOOKS: Final = 3
# This many looks in a row must be too busy before anything is done: catching up is no overload.
LOOKS: Final = 4
# A step down has no effect until the composer has written it and what was rendered before has been played.
SETTLE_S: Final = 3.0
CALM_S: Final = 30.0
_SHORTEST_S: Final = 0.05


class Load:
    """The share of time spent rendering, apart from the past of a new channel: that load passes."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._rendering_s = self._excused_s = 0.0

    def rendered(self, seconds: float) -> None:
        """Note a batch."""
        self._rendering_s += seconds

    def caught_up(self, seconds: float) -> None:
        """Note a batch that began a channel: its time is excluded from the measured interval."""
        self._excused_s += seconds

    def look(self, now_s: float) -> float:
        """The share since the last look."""
        share = self._rendering_s / max(now_s - self._since_s - self._excused_s, _SHORTEST_S)
        self._since_s = now_s
        self._rendering_s = self._excused_s = 0.0
        return share


class Condition(NamedTuple):
    """A channel at a look: its quality according to the score, and the chunks that froze too early since.

    ``missing`` chunks were absent, ``late`` ones were rendered from an older score.
    """

    quality: float
    missing: int
    late: int


@dataclass(slots=True)
class _Patience:
    """Since when a channel has been without trouble, and when less quality was last asked for.

    ``late_looks``: at how many looks in a row chunks of the channel were late.
    """

    calm_s: float
    lowered_s: float = float("-inf")
    late_looks: int = 0


class Ladder:
    """One worker's decisions, about once a second."""

    def __init__(self) -> None:
        self._loads: deque[float] = deque(maxlen=LOOKS)
        self._patience: dict[str, _Patience] = {}

    def decide(self, now_s: float, load: float, channels: Mapping[str, Condition]) -> dict[str, float]:
        """The quality to ask for, for each channel that needs a different one.

        ``load`` is the share of time spent rendering since the last call; ``channels`` are all channels that
        the worker renders.
        """
        self._loads.append(load)
        self._patience = {channel: self._patience.get(channel) or _Patience(now_s) for channel in channels}
        asked = {channel: self._decide(now_s, channel, channels[channel]) for channel in channels}
        return {channel: quality for channel, quality in asked.items() if quality is not None}

    def _decide(self, now_s: float, channel: str, condition: Condition) -> float | None:
        patience, step = self._patience[channel], STEPS.index(step_of(condition.quality))
        patience.late_looks = patience.late_looks + 1 if condition.late else 0
        if self._troubled(behind=condition.missing > 0 or patience.late_looks >= LATE_LOOKS):
            patience.calm_s = now_s
            if step == len(STEPS) - 1 or now_s - patience.lowered_s < SETTLE_S:
                return None
            patience.lowered_s = now_s
            return STEPS[step + 1].value
        if step and now_s - patience.calm_s >= CALM_S and max(self._loads) < AT_EASE:
            patience.calm_s = now_s
            return STEPS[step - 1].value
        return None

    def _troubled(self, *, behind: bool) -> bool:
        overloaded = len(self._loads) == LOOKS and min(self._loads) >= TOO_BUSY
        return overloaded or (behind and self._loads[-1] >= BUSY)
