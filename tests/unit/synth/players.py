"""Patches, notes and voices for the synth's tests."""

from typing import Any

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.synth.patches.schema import Patch
from services.synth.voices.build import parts_of, voice_of
from services.synth.voices.playing import Playing
from services.synth.voices.voice import Voice

CD = AudioFormat()


def patch_of(**parts: Any) -> Patch:
    """A patch at full level for all pitches, with the given ``parts``."""
    given = {"description": "", "family": "keys", "level_db": 0.0, "low": 0, "high": 127, **parts}
    return Patch(**given)


def note_of(
    pitch: float = 60.0,
    velocity: float = 0.6,
    number: int = 1,
    seconds: float = 2.0,
    at_s: float = 0.0,
    audio: AudioFormat = CD,
    layer: str = "melody",
    pan: float = 0.0,
) -> Note:
    """A note without a patch: that is given separately."""
    return Note(
        at_frame=audio.frames(at_s),
        id=number,
        duration_frames=audio.frames(seconds),
        pitch=pitch,
        velocity=velocity,
        patch="",
        layer=layer,  # type: ignore[arg-type]
        pan=pan,
    )


def playing_of(patch: Patch, seed: int = 7, audio: AudioFormat = CD, **note: Any) -> Playing:
    """What a voice of ``patch`` is built from."""
    return Playing(note_of(audio=audio, **note), patch, seed, np.random.default_rng(seed), audio)


def voices_of_note(patch: Patch, seed: int = 7, audio: AudioFormat = CD, **note: Any) -> list[Voice]:
    """The voices of one note of ``patch``."""
    played = note_of(audio=audio, **note)
    parts = parts_of(played, patch, audio, played.at_frame, played.release_frame)
    return [voice_of(played, patch, seed, audio, part) for part in parts]
