"""Whole pieces for the gates: composed and rendered once, kept for all gates."""

import os
from functools import cache
from typing import Final, NamedTuple

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.entry_id import EntryId
from auralis.score.score import Score
from services.composer import plan as planning
from services.offline.replay import replay
from tests.device import DEVICE
from tests.gates.measures import Audio, from_pcm

# Ten minutes, as the gates say; 30 minutes, for variety, take a minute more than a test run has to spare.
LONG_MINUTES: Final = float(os.environ.get("AURALIS_GATE_MINUTES", "10"))
SHORT_MINUTES: Final = 1.0
# Long pieces, as seed@rate; for more: AURALIS_GATE_PIECES="1@44100 1@48000 2@44100 2@48000".
LONG: Final = tuple(os.environ.get("AURALIS_GATE_PIECES", "1@44100 2@48000").split())
SHORT: Final = ("2@44100", "3@44100", "4@48000")
_FIRST_SEQ: Final = 100  # the first seconds rise from silence
_AHEAD_S: Final = 10.0  # a score that runs dry holds its last chord


class Piece(NamedTuple):
    """What a listener of ``seed`` hears, and the score that it was rendered from."""

    score: Score
    audio: Audio
    rate_hz: int

    def onsets_s(self) -> list[float]:
        """The onsets of the score's notes, in seconds of the audio."""
        start = AudioFormat(self.rate_hz).start_frame(_FIRST_SEQ)
        notes = self.score.view().notes(0, start + self.audio.shape[1])
        return [(note.at_frame - start) / self.rate_hz for note in notes]


def named(name: str, minutes: float) -> Piece:
    """The piece of ``seed@rate``."""
    seed, rate_hz = name.split("@")
    return piece(int(seed), minutes, rate_hz=int(rate_hz))


@cache
def piece(seed: int, minutes: float, intensity: float = 0.5, rate_hz: int = 44_100) -> Piece:
    """The result of :func:`composed_and_rendered`, kept."""
    return composed_and_rendered(seed, minutes, intensity, rate_hz)


def composed_and_rendered(seed: int, minutes: float, intensity: float = 0.5, rate_hz: int = 44_100) -> Piece:
    """The piece of ``seed`` under constant controls, without the first seconds, which rise from silence."""
    audio = AudioFormat(rate_hz)
    score = _endless(seed, Controls(intensity=intensity), minutes * 60 + _FIRST_SEQ / 10 + _AHEAD_S, audio)
    pcm = b"".join(replay(score, seed, audio, range(_FIRST_SEQ, _FIRST_SEQ + round(minutes * 600)), DEVICE))
    return Piece(score, from_pcm(pcm), rate_hz)


def _endless(seed: int, controls: Controls, seconds: float, audio: AudioFormat) -> Score:
    """The score that a channel announces for its first ``seconds``; a piece for a file would have an end."""
    _, batch = planning.extend(planning.begin(seed, 0, controls, 0), audio.frames(seconds), audio)
    score = Score()
    score.apply(EntryId(1, 0), batch)
    return score
