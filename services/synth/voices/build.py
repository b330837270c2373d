"""Building voices: what the patch leaves to chance is drawn by channel seed and note id alone."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.synth.patches.schema import Grains, Patch
from services.synth.voices.columns import Bend, Fast, Hiss
from services.synth.voices.grains import grain_rows, seconds_of
from services.synth.voices.noises import hiss_tables, no_hiss
from services.synth.voices.pitched import NEPERS, body_rows, joined, partial_rows
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import INAUDIBLE_DB, partials_of
from services.synth.voices.voice import YOUNG_S, Rows, Timing, Voice

_STRUCK_S: Final = 0.015  # an attack that is faster needs the full grid
# What takes longer, or falls more slowly, is as good when it is interpolated over a chunk.
_FAST_S: Final = 0.7
_FAST_DB_S: Final = 60.0


def voices_of(note: Note, patch: Patch, seed: int, audio: AudioFormat) -> Iterator[Voice]:
    """The voice of ``note`` in the channel of ``seed``, and one for each second of its grains."""
    main = _main_voice(Playing(note, patch, _draw(note, seed, 0), audio))
    if len(main.rows) or len(main.hiss):
        yield main
    if patch.grains is not None:
        for second in seconds_of(Playing(note, patch, _draw(note, seed, 0), audio)):
            yield _grain_voice(
                Playing(note, patch, _draw(note, seed, second + 1), audio), patch.grains, second
            )


def _draw(note: Note, seed: int, part: int) -> np.random.Generator:
    counter = np.array([note.id % 2**64, part, 0, 1], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=seed, counter=counter))


def _main_voice(playing: Playing) -> Voice:
    rows = joined(partial_rows(playing, partials_of(playing)), body_rows(playing))
    hiss = hiss_tables(playing)
    return Voice(playing.note.layer, _timing(playing, rows, hiss), rows, hiss, _lively(rows), _bends(rows))


def _grain_voice(playing: Playing, grains: Grains, second: int) -> Voice:
    rows = grain_rows(playing, grains, second)
    start = playing.note.at_frame + playing.audio.frames(second)
    end = start + playing.audio.frames(1 + 2 * grains.t60_s[1])
    return Voice(playing.note.layer, Timing(start, start, end, end, end), rows, no_hiss(), True, _bends(rows))


def _lively(rows: Rows) -> bool:
    decays = rows.fast[:, Fast.FAST].max(initial=0.0)
    return bool(np.any(rows.fast[:, Fast.TREMOLO]) or decays > _FAST_DB_S * NEPERS)


def _bends(rows: Rows) -> bool:
    return bool(np.any(rows.bend[:, [Bend.VIBRATO_TURNS, Bend.SLIDE_TURNS]]))


def _timing(playing: Playing, rows: Rows, hiss: NDArray[np.float32]) -> Timing:
    patch, audio, at = playing.patch, playing.audio, playing.note.at_frame
    delay, attack = rows.fast[:, Fast.DELAY_S], rows.fast[:, Fast.ATTACK_S]
    quick_s = float((delay + attack)[attack < _FAST_S].max(initial=0.1))
    struck = patch.envelope.attack_s < _STRUCK_S or bool(patch.motion.slide_cents or patch.body)
    silent = at + audio.frames(max(_end_s(rows), _hiss_end_s(hiss))) + 1
    return Timing(
        at=at,
        settled=at + (audio.frames(YOUNG_S) if struck else 0),
        risen=at + audio.frames(max(quick_s, YOUNG_S if struck else 0.0)) + 1,
        falling=playing.note.release_frame if patch.envelope.release_s < _FAST_S else silent,
        silent=silent,
    )


def _end_s(rows: Rows) -> float:
    """When the last partial is silent: released, or decayed by the inaudible level."""
    if not len(rows):
        return 0.0
    fast = rows.fast.astype(float)
    released = fast[:, Fast.GATE_S] + fast[:, Fast.RELEASE_S]
    share_db = np.log(np.maximum(fast[:, Fast.SLOW_SHARE], 1e-9)) / NEPERS
    stages = _fading_s(fast[:, Fast.FAST]), _fading_s(fast[:, Fast.SLOW], share_db)
    faded = fast[:, Fast.DELAY_S] + fast[:, Fast.ATTACK_S] + np.maximum(*stages)
    return float(np.minimum(released, faded).max())


def _hiss_end_s(hiss: NDArray[np.float32]) -> float:
    if not len(hiss):
        return 0.0
    table = hiss.astype(float)
    released = table[..., Hiss.GATE_S] + table[..., Hiss.RELEASE_S]
    faded = table[..., Hiss.DELAY_S] + table[..., Hiss.ATTACK_S] + _fading_s(table[..., Hiss.DECAY])
    return float(np.minimum(released, faded).max())


def _fading_s(
    nepers_s: NDArray[np.float64], from_db: float | NDArray[np.float64] = 0.0
) -> NDArray[np.float64]:
    """How long what begins at ``from_db`` takes to fall to the inaudible level; for ever at a rate of 0."""
    fall_db = np.maximum(from_db - INAUDIBLE_DB, 0.0)
    return np.where(
        fall_db > 0, np.where(nepers_s > 0, fall_db * NEPERS / np.maximum(nepers_s, 1e-6), np.inf), 0.0
    )
