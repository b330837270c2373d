"""What is written in addition to the sound: the score as MIDI and as lines of JSON."""

from pathlib import Path

import msgspec

from auralis.audio import AudioFormat
from auralis.errors import AuralisError
from auralis.midi.file import midi_of
from auralis.score.events import Batch
from auralis.score.stretch import Stretch, stretch_of
from services.offline.piece import score_of


def stretch_of_piece(piece: Batch, audio: AudioFormat, end_frame: int) -> Stretch:
    """The piece from its first frame to its last."""
    return stretch_of(score_of(piece).view(), audio, 0, end_frame)


def midi(stretch: Stretch, seed: int) -> bytes:
    """The piece as a Standard MIDI File."""
    return midi_of(stretch, f"Auralis {seed}")


def lines(piece: Batch) -> bytes:
    """The piece's events as JSON, one per line, by onset: what the score log holds as msgpack."""
    encode = msgspec.json.Encoder().encode
    ordered = sorted(piece.events, key=lambda event: event.at_frame)
    return b"".join(encode(event) + b"\n" for event in ordered)


def write(draft: Path, path: Path, data: bytes) -> None:
    """Write the draft of ``path``.

    Raises:
        AuralisError: the disk is full.
    """
    try:
        draft.write_bytes(data)
    except OSError as error:
        raise AuralisError(f"can't write {path}: {error.strerror}") from error
