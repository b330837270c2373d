"""A piece with an end: what the composer writes from a seed, as one score."""

from typing import Final, get_args

import msgspec

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Chord, Event, Layer, Note
from auralis.score.score import Score
from services.composer import plan as planning

# The last note begins this long before the end, and no gate stays open beyond the second time: what is left
# is the release of what sounds.
_LAST_ONSET_S: Final = 12.0
_LAST_GATE_S: Final = 8.0
_ONLY_ENTRY: Final = EntryId(1, 0)
LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)


def compose_piece(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Score:
    """The score of a piece of ``seconds``; the same arguments give the same score."""
    return score_of(composed(seed, controls, seconds, audio))


def composed(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Batch:
    """All events of the piece."""
    end = audio.frames(seconds)
    plan = planning.begin(seed, 0, controls, 0)
    _, batch = planning.extend(plan, end, audio)
    events = tuple(_ending(event, end, audio) for event in batch.events if _begins_in_time(event, end, audio))
    # The score is written far beyond the end: a dry score would hold its last chord.
    return Batch(0, 0, end + audio.frames(_LAST_ONSET_S), events)


def score_of(batch: Batch, layer: Layer | None = None) -> Score:
    """The piece as a score; of ``layer`` alone, with the same harmony, tempo, rooms and automation."""
    events = (e for e in batch.events if layer is None or not isinstance(e, Note) or e.layer == layer)
    score = Score()
    score.apply(_ONLY_ENTRY, msgspec.structs.replace(batch, events=tuple(events)))
    return score


def layers_of(batch: Batch) -> tuple[Layer, ...]:
    """The layers that play, in the order of the desk."""
    playing = {event.layer for event in batch.events if isinstance(event, Note)}
    return tuple(layer for layer in LAYERS if layer in playing)


def _begins_in_time(event: Event, end: int, audio: AudioFormat) -> bool:
    return event.at_frame < max(1, end - audio.frames(_LAST_ONSET_S))


def _ending(event: Event, end: int, audio: AudioFormat) -> Event:
    """``event`` with its gate closed in time for the release to be heard."""
    if not isinstance(event, Note | Chord):
        return event
    longest = max(1, end - audio.frames(_LAST_GATE_S) - event.at_frame)
    return msgspec.structs.replace(event, duration_frames=min(event.duration_frames, longest))
