"""Finite pieces: all events of a piece of a given length."""

from typing import Final

from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Batch, Chord, Event, Note
from services.composer import plan as planning

# The last note begins this long before the end, and no gate stays open beyond the second time: what is left
# is the release of what sounds.
_LAST_ONSET_S: Final = 12.0
_LAST_GATE_S: Final = 8.0


def compose_piece(seed: int, controls: Controls, seconds: float, fmt: AudioFormat) -> Batch:
    """All events of the piece ``seed`` under unchanging ``controls``, which is silent after ``seconds``.

    The batch reaches beyond the end, because a score that runs dry holds its last chord.
    """
    end = fmt.frames(seconds)
    _, batch = planning.extend(planning.begin(seed, 0, controls, 0), end, fmt)
    last = max(1, end - fmt.frames(_LAST_ONSET_S))
    events = tuple(_ending(event, end, fmt) for event in batch.events if event.at_frame < last)
    return Batch(0, 0, end + fmt.frames(_LAST_ONSET_S), events)


def _ending(event: Event, end: int, fmt: AudioFormat) -> Event:
    """``event`` with its gate closed in time for the release to be heard."""
    if not isinstance(event, Note | Chord):
        return event
    longest = max(1, end - fmt.frames(_LAST_GATE_S) - event.at_frame)
    return replace(event, duration_frames=min(event.duration_frames, longest))
