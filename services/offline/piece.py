"""A piece of finite length: what the composer writes from a seed, as one score."""

from typing import Final, get_args

import msgspec

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Layer, Note
from auralis.score.score import Score
from services.composer import finite

_ONLY_ENTRY: Final = EntryId(1, 0)
LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)


def compose_piece(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Score:
    """The score of a piece of ``seconds``; the same arguments give the same score."""
    return score_of(composed(seed, controls, seconds, audio))


def composed(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Batch:
    """All events of the piece."""
    return finite.compose_piece(seed, controls, seconds, audio)


def score_of(batch: Batch, layer: Layer | None = None) -> Score:
    """The piece as a score; ``layer``: only its notes, with the same harmony, tempo, rooms and automation."""
    events = (e for e in batch.events if layer is None or not isinstance(e, Note) or e.layer == layer)
    score = Score()
    score.apply(_ONLY_ENTRY, msgspec.structs.replace(batch, events=tuple(events)))
    return score


def layers_of(batch: Batch) -> tuple[Layer, ...]:
    """The layers that play, in the order of the desk."""
    playing = {event.layer for event in batch.events if isinstance(event, Note)}
    return tuple(layer for layer in LAYERS if layer in playing)
