"""Building voices: what the patch leaves to chance is drawn by channel seed and note id alone."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.score.events import Note
from services.synth.patches.schema import Grains, Patch
from services.synth.voices.columns import Bend, Fast, Hiss
from services.synth.voices.grains import grain_rows, seconds_of
from services.synth.voices.noises import hiss_tables, no_hiss
from services.synth.voices.pitched import NEPERS, body_rows, joined, partial_rows
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import INAUDIBLE_DB, partials_of
from services.synth.voices.thinning import levels_db
from services.synth.voices.voice import YOUNG_S, Rows, Timing, Voice

_STRUCK_S: Final = 0.015  # an attack that is faster needs the full grid
# Levels are interpolated over a chunk where that errs by less than this under the loudest partial's onset:
# in attacks and releases that take longer, in decays once they are low enough.
_EXACT_DB: Final = 63.0
_FAST_ATTACK_S: Final = 2.8
_FAST_RELEASE_S: Final = 4.0
_EXACT_HISS_DB: Final = 40.0
_FAST_GUST_HZ: Final = 0.5
_CHUNK_S: Final = 1 / CHUNKS_PER_SECOND


def parts_of(note: Note, patch: Patch, audio: AudioFormat, start_frame: int, end_frame: int) -> list[int]:
    """The parts of ``note`` that may sound between two frames.

    Part 0 is the note itself, part ``n`` its ``n``-th second of grains: however long a note is, it costs no
    more than what is heard of it.
    """
    if patch.grains is None:
        return [0]
    ringing = 1 + _grains_s(patch.grains)
    first = max(0, math.floor(audio.seconds(start_frame - note.at_frame) - ringing))
    last = math.ceil(audio.seconds(end_frame - note.at_frame))
    return [0, *(second + 1 for second in seconds_of(note, audio)[first : max(first, last)])]


def voice_of(note: Note, patch: Patch, seed: int, audio: AudioFormat, part: int) -> Voice:
    """One of :func:`parts_of` ``note`` in the channel of ``seed``."""
    playing = Playing(note, patch, _draw(note, seed, part), audio)
    if part and patch.grains is not None:
        return _grain_voice(playing, patch.grains, part - 1)
    return _main_voice(playing)


def _draw(note: Note, seed: int, part: int) -> np.random.Generator:
    counter = np.array([note.id % 2**64, part, 0, 1], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=seed, counter=counter))


def _main_voice(playing: Playing) -> Voice:
    rows = joined(partial_rows(playing, partials_of(playing)), body_rows(playing))
    hiss = hiss_tables(playing)
    return Voice(
        playing.note.layer,
        _timing(playing, rows, hiss),
        rows,
        hiss,
        bool(np.any(rows.fast[:, Fast.TREMOLO])) or _blusters(hiss),
        _bends(rows),
    )


def _grain_voice(playing: Playing, grains: Grains, second: int) -> Voice:
    rows = grain_rows(playing, grains, second)
    start = playing.note.at_frame + playing.audio.frames(second)
    end = start + playing.audio.frames(1 + _grains_s(grains))
    timing = Timing(start, start, end, end, end)
    return Voice(playing.note.layer, timing, rows, no_hiss(), True, _bends(rows))


def _grains_s(grains: Grains) -> float:
    """How long a grain rings at most: until it has fallen by 120 dB."""
    return 2 * grains.t60_s[1]


def _bends(rows: Rows) -> bool:
    return bool(np.any(rows.bend[:, [Bend.VIBRATO_TURNS, Bend.SLIDE_TURNS]]))


def _blusters(hiss: NDArray[np.float32]) -> bool:
    return bool(np.any((hiss[..., Hiss.GUST] > 0) & (hiss[..., Hiss.GUST_HZ] > _FAST_GUST_HZ)))


def _timing(playing: Playing, rows: Rows, hiss: NDArray[np.float32]) -> Timing:
    patch, audio, at = playing.patch, playing.audio, playing.note.at_frame
    struck = patch.envelope.attack_s < _STRUCK_S or bool(patch.motion.slide_cents or patch.body)
    young_s = YOUNG_S if struck else 0.0
    ends_s = _ends_s(rows)
    silent = at + audio.frames(max(ends_s.max(initial=0.0), _hiss_end_s(hiss))) + 1
    released_s = rows.fast[:, Fast.RELEASE_S].min(initial=patch.envelope.release_s)
    ends = at + np.ceil(ends_s * audio.sample_rate_hz).astype(np.int64)
    last = len(ends) - 1
    return Timing(
        at=at,
        settled=at + audio.frames(young_s),
        risen=at + audio.frames(max(_rising_s(rows), young_s, _decaying_s(rows), _bursting_s(hiss))) + 1,
        falling=playing.note.release_frame if released_s < _FAST_RELEASE_S else silent,
        silent=silent,
        thinner=tuple(np.sort(ends)[[last // 2, 3 * last // 4]].tolist()) if len(ends) else (),
        ends=ends,
    )


def _rising_s(rows: Rows) -> float:
    attack = rows.fast[:, Fast.ATTACK_S]
    return float((rows.fast[:, Fast.DELAY_S] + attack)[attack < _FAST_ATTACK_S].max(initial=0.1))


def _decaying_s(rows: Rows) -> float:
    """How long decays are too steep to be interpolated over a chunk."""
    level_db = levels_db(rows)
    over_db = level_db - level_db.max(initial=-np.inf) + _EXACT_DB
    stages = ((rows.fast[:, Fast.FAST], 0.0), (rows.fast[:, Fast.SLOW], _share_db(rows)))
    return float(
        max(_steep_s(rate.astype(float), over_db + share).max(initial=0.0) for rate, share in stages)
    )


def _bursting_s(hiss: NDArray[np.float32]) -> float:
    """How long noise rises or dies away too fast to be interpolated over a chunk."""
    table = hiss.astype(float)
    level_db = np.log(np.maximum(table[..., Hiss.GAIN], 1e-9)) / NEPERS
    over_db = level_db - level_db.max(initial=-np.inf) + _EXACT_HISS_DB
    attack_s, steep_s = table[..., Hiss.ATTACK_S], _steep_s(table[..., Hiss.DECAY], over_db)
    moving = (over_db > 0) & ((attack_s < _FAST_ATTACK_S) | (steep_s > 0))
    return float((table[..., Hiss.DELAY_S] + attack_s + steep_s)[moving].max(initial=0.0))


def _steep_s(nepers_s: NDArray[np.float64], over_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Until when a straight line over a chunk errs too much: by ``x^2 / 8`` of a decay of x nepers."""
    falls = np.maximum(nepers_s, 1e-6)
    error_db = np.log(np.minimum(1.0, (falls * _CHUNK_S) ** 2 / 8)) / NEPERS
    return np.asarray(np.maximum(over_db + error_db, 0.0) * NEPERS / falls)


def _share_db(rows: Rows) -> NDArray[np.float64]:
    """Where the slow stages begin."""
    return np.asarray(np.log(np.maximum(rows.fast[:, Fast.SLOW_SHARE].astype(float), 1e-9)) / NEPERS)


def _ends_s(rows: Rows) -> NDArray[np.float64]:
    """When each partial is silent: released, or decayed by the inaudible level."""
    fast = rows.fast.astype(float)
    released = fast[:, Fast.GATE_S] + fast[:, Fast.RELEASE_S]
    stages = _fading_s(fast[:, Fast.FAST]), _fading_s(fast[:, Fast.SLOW], _share_db(rows))
    faded = fast[:, Fast.DELAY_S] + fast[:, Fast.ATTACK_S] + np.maximum(*stages)
    return np.asarray(np.minimum(released, faded))


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
