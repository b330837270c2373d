"""A piece with an end: what the composer writes from a seed, as one score."""

from typing import Final

import msgspec

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Chord, Event, Note
from auralis.score.score import Score
from services.composer import plan as planning

# The last note begins this long before the end, and no gate stays open beyond the second time: what is left
# is the release of what sounds.
_LAST_ONSET_S: Final = 12.0
_LAST_GATE_S: Final = 8.0
_ONLY_ENTRY: Final = EntryId(1, 0)


def compose_piece(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Score:
    """The score of a piece of ``seconds``; the same arguments give the same score."""
    end = audio.frames(seconds)
    plan = planning.begin(seed, 0, controls, 0)
    _, batch = planning.extend(plan, end, audio)
    events = [_ending(event, end, audio) for event in batch.events if _begins_in_time(event, end, audio)]
    score = Score()
    # The score is written far beyond the end: a dry score would hold its last chord.
    score.apply(_ONLY_ENTRY, Batch(0, 0, end + audio.frames(_LAST_ONSET_S), tuple(events)))
    return score


def _begins_in_time(event: Event, end: int, audio: AudioFormat) -> bool:
    return event.at_frame < max(1, end - audio.frames(_LAST_ONSET_S))


def _ending(event: Event, end: int, audio: AudioFormat) -> Event:
    """``event`` with its gate closed in time for the release to be heard."""
    if not isinstance(event, Note | Chord):
        return event
    longest = max(1, end - audio.frames(_LAST_GATE_S) - event.at_frame)
    return msgspec.structs.replace(event, duration_frames=min(event.duration_frames, longest))
