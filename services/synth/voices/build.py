"""Building voices. What a patch leaves to chance depends on the channel's seed and the note's id alone."""

import math

import numpy as np

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.synth.patches.schema import Grains, Patch
from services.synth.voices.grains import grain_rows, seconds_of
from services.synth.voices.loudness import loudest_db
from services.synth.voices.noises import hiss_tables, no_hiss
from services.synth.voices.pitched import body_rows, joined, partial_rows
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import partials_of
from services.synth.voices.timing import grain_timing, timing_of
from services.synth.voices.voice import Voice


def parts_of(note: Note, patch: Patch, audio: AudioFormat, start_frame: int, end_frame: int) -> list[int]:
    """The parts of ``note`` that may sound between two frames.

    Part 0 is the note itself, part ``n`` its ``n``-th second of grains: so a note costs no more than what is
    heard of it, however long it is.
    """
    if patch.grains is None:
        return [0]
    ringing = 1 + _grains_s(patch.grains)
    first = max(0, math.floor(audio.seconds(start_frame - note.at_frame) - ringing))
    last = math.ceil(audio.seconds(end_frame - note.at_frame))
    return [0, *(second + 1 for second in seconds_of(note, audio)[first : max(first, last)])]


def voice_of(  # noqa: PLR0913, PLR0917  all that a voice is a function of
    note: Note, patch: Patch, seed: int, audio: AudioFormat, part: int, floor_db: float = -math.inf
) -> Voice:
    """The voice of one of :func:`parts_of` ``note``, in the channel of ``seed``.

    Partials are left out while they can't rise above ``floor_db``.
    """
    playing = Playing(note, patch, seed, _draw(note, seed, part), audio)
    if part and patch.grains is not None:
        return _grain_voice(playing, patch.grains, part - 1, floor_db)
    return _main_voice(playing, floor_db)


def _draw(note: Note, seed: int, part: int) -> np.random.Generator:
    # The generator counts up the first word: with the id there, notes with neighbouring ids would draw alike.
    counter = np.array([0, part, note.id % 2**64, 1], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=seed, counter=counter))


def _main_voice(playing: Playing, floor_db: float) -> Voice:
    rows = joined(partial_rows(playing, partials_of(playing)), body_rows(playing))
    hiss, loudest = hiss_tables(playing), loudest_db(rows)
    return Voice(
        playing.seed,
        playing.note.layer,
        timing_of(playing, rows, hiss, loudest - floor_db),
        rows,
        hiss,
        audio=playing.audio,
    )


def _grain_voice(playing: Playing, grains: Grains, second: int, floor_db: float) -> Voice:
    rows = grain_rows(playing, grains, second)
    start = playing.note.at_frame + playing.audio.frames(second)
    end = start + playing.audio.frames(1 + _grains_s(grains))
    return Voice(
        playing.seed,
        playing.note.layer,
        grain_timing(start, end, loudest_db(rows) > floor_db),
        rows,
        no_hiss(),
        audio=playing.audio,
    )


def _grains_s(grains: Grains) -> float:
    """The longest time for which a grain rings: until it has fallen by 120 dB."""
    return 2 * grains.t60_s[1]
