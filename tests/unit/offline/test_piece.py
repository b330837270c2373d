"""A piece with an end."""

import numpy as np
import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Note
from services.offline.piece import compose_piece
from services.offline.replay import replay

AUDIO = AudioFormat()


def notes(seed: int, seconds: float, **controls: str | float) -> list[Note]:
    score = compose_piece(seed, Controls(**controls), seconds, AUDIO)  # type: ignore[arg-type]
    return score.view().notes(0, AUDIO.frames(10 * seconds))


def test_one_seed_one_piece() -> None:
    """The same arguments give the same notes; another seed or key gives others."""
    assert notes(3, 30) == notes(3, 30)
    assert notes(3, 30) != notes(4, 30)
    assert notes(3, 30) != notes(3, 30, key="E major")


@pytest.mark.parametrize("seconds", [5.0, 30.0])
def test_it_ends_in_silence(seconds: float) -> None:
    """Gates close eight seconds before the end, if the piece is that long; nothing is held."""
    last = max(note.release_frame for note in notes(3, seconds) if note.at_frame < AUDIO.frames(seconds))
    assert last <= max(AUDIO.frames(seconds - 8), max(n.at_frame for n in notes(3, seconds)) + 1)


def test_the_last_second_is_quiet() -> None:
    """The piece of 40 s sounds in the middle, and by its end has died away to 25 dB below that."""
    score = compose_piece(3, Controls(), 40, AUDIO)
    pcm = [np.frombuffer(chunk, "<i2") / 32768 for chunk in replay(score, 3, AUDIO, [200, 201, 398, 399])]
    middle, end = (np.sqrt(np.mean(np.concatenate(pair) ** 2)) for pair in (pcm[:2], pcm[2:]))
    assert middle > 0.01
    assert 20 * np.log10(end / middle) < -25
