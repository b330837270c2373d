"""The timing of a note: how long its levels move fast, and when each of its partials has died.

Levels are interpolated over a chunk where the error lies more than :data:`_EXACT_DB` below the loudest
partial's onset: in attacks and releases that are long or quiet enough, and in decays once they are low
enough. A straight line over ``h`` errs by ``h^2 / 8`` times the second derivative.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.synth.dsp.arrays import Float64Array
from services.synth.voices.columns import Fast, Hiss
from services.synth.voices.loudness import levels_db
from services.synth.voices.pitched import NEPERS, OPEN_S
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import INAUDIBLE_DB
from services.synth.voices.voice import YOUNG_S, Rows, Timing

_STRUCK_S: Final = 0.015  # attacks shorter than this need the full grid
_EXACT_DB: Final = 63.0
_EXACT_HISS_DB: Final = 40.0
_FAST_GUST_HZ: Final = 0.5
_CHUNK_S: Final = 1 / CHUNKS_PER_SECOND
# The largest second derivatives of a rise of one second, and of such a release (a squared smoothstep).
_RISE_BEND: Final = 6.0
_RELEASE_BEND: Final = 12.0


def timing_of(playing: Playing, rows: Rows, hiss: NDArray[np.float32], over_floor_db: Float64Array) -> Timing:
    """The timing of a note.

    Args:
        playing: the note and its patch.
        rows: its partials.
        hiss: its noises.
        over_floor_db: how far each partial rises at most above the audible floor: ``[range, partial]``.
    """
    patch, audio, at = playing.patch, playing.audio, playing.note.at_frame
    struck = patch.envelope.attack_s < _STRUCK_S or bool(patch.motion.slide_cents or patch.body)
    young_s = YOUNG_S if struck else 0.0
    fast, over_db = rows.fast.astype(float).T, _over_db(rows)
    share_db = np.log(np.maximum(fast[Fast.SLOW_SHARE], 1e-9)) / NEPERS  # where the slow stages begin
    ends_s = _ends_s(fast, share_db, np.minimum(over_floor_db, -INAUDIBLE_DB))
    silent_s = max(ends_s.max(initial=0.0), _hiss_end_s(hiss))
    return Timing(
        at=at,
        settled=at + audio.frames(young_s),
        released=playing.note.release_frame,
        silent=at + audio.frames(silent_s) + 1,
        ends=_frames(ends_s, at, audio),
        risen=_frames(np.maximum(_risen_s(fast, share_db, over_db), young_s), at, audio),
        falls=_falls(fast, over_db),
        hiss_risen=at + audio.frames(_hiss_risen_s(hiss)) + 1,
        hiss_falls=_hiss_falls(hiss),
    )


def grain_timing(start: int, end: int, loud: NDArray[np.bool_]) -> Timing:
    """The timing of grains between two frames: short, they always move; ``loud`` is ``[range, grain]``."""
    count = loud.shape[1]
    return Timing(
        at=start,
        settled=start,
        released=end,
        silent=end,
        ends=np.where(loud, end, start),
        risen=np.full(count, end),
        falls=np.zeros(count, dtype=bool),
        hiss_risen=start,
        hiss_falls=False,
    )


def _frames(seconds: Float64Array, at: int, audio: AudioFormat) -> NDArray[np.int64]:
    return np.asarray(at + np.ceil(np.minimum(seconds, 1e9) * audio.sample_rate_hz)).astype(np.int64)


def _over_db(rows: Rows) -> Float64Array:
    """How far each partial lies above the level at which interpolation need not be exact."""
    level_db = levels_db(rows)
    return np.asarray(level_db - level_db.max(initial=-np.inf) + _EXACT_DB)


def _shortest_s(over_db: Float64Array | float, bend: float) -> Float64Array:
    """How long a curve must last to be interpolated well enough.

    ``bend`` is its second derivative if it lasts one second.
    """
    return np.asarray(_CHUNK_S * np.sqrt(bend / 8 * 10 ** (np.asarray(over_db) / 20)))


def _risen_s(fast: Float64Array, share_db: Float64Array, over_db: Float64Array) -> Float64Array:
    """The time until which each partial rises, decays or trembles too fast for interpolation over a chunk."""
    attack_s = fast[Fast.ATTACK_S]
    rising = np.where(attack_s < _shortest_s(over_db, _RISE_BEND), fast[Fast.DELAY_S] + attack_s, 0.0)
    steep_s = _steep_s(fast[[Fast.FAST, Fast.SLOW]], np.stack([over_db, over_db + share_db]))
    return np.asarray(np.where(fast[Fast.TREMOLO] != 0, np.inf, np.maximum(rising, steep_s.max(axis=0))))


def _falls(fast: Float64Array, over_db: Float64Array) -> NDArray[np.bool_]:
    """Which partials are released too fast for interpolation over a chunk."""
    short = fast[Fast.RELEASE_S] < _shortest_s(over_db, _RELEASE_BEND)
    return np.asarray(short & (fast[Fast.GATE_S] < OPEN_S))


def _steep_s(nepers_s: Float64Array, over_db: Float64Array) -> Float64Array:
    """How long a straight line over a chunk errs too much: by ``x^2 / 8`` for a decay of x nepers in it."""
    falls = np.maximum(nepers_s, 1e-6)
    error_db = np.log(np.minimum(1.0, (falls * _CHUNK_S) ** 2 / 8)) / NEPERS
    return np.asarray(np.maximum(over_db + error_db, 0.0) * NEPERS / falls)


def _ends_s(fast: Float64Array, share_db: Float64Array, fall_db: Float64Array) -> Float64Array:
    """When each partial is silent: released, or decayed by ``fall_db``; ``[range, partial]``."""
    released = fast[Fast.GATE_S] + fast[Fast.RELEASE_S] * _release_share(fall_db)
    stages = _fading_s(fast[Fast.FAST], fall_db), _fading_s(fast[Fast.SLOW], fall_db + share_db)
    faded = fast[Fast.DELAY_S] + fast[Fast.ATTACK_S] + np.maximum(*stages)
    return np.asarray(np.where(fall_db > 0, np.minimum(released, faded), 0.0))


def _release_share(fall_db: Float64Array) -> Float64Array:
    """The share of a release that it takes to fall by ``fall_db``: the inverse of a squared smoothstep."""
    left = 10 ** (-np.maximum(fall_db, 0.0) / 40)
    return np.asarray(0.5 - np.sin(np.arcsin(1 - 2 * (1 - left)) / 3))


def _fading_s(nepers_s: Float64Array, fall_db: Float64Array | float) -> Float64Array:
    """How long a decay takes to fall by ``fall_db``; infinite at a rate of 0."""
    lasting = np.where(nepers_s > 0, fall_db * NEPERS / np.maximum(nepers_s, 1e-6), np.inf)
    return np.where(np.asarray(fall_db) > 0, lasting, 0.0)


def _hiss_risen_s(hiss: NDArray[np.float32]) -> float:
    """The time until which noise rises, decays or gusts too fast for interpolation over a chunk."""
    table = hiss.astype(float)
    if np.any((table[..., Hiss.GUST] > 0) & (table[..., Hiss.GUST_HZ] > _FAST_GUST_HZ)):
        return 1e9
    level_db = np.log(np.maximum(table[..., Hiss.GAIN], 1e-9)) / NEPERS
    over_db = level_db - level_db.max(initial=-np.inf) + _EXACT_HISS_DB
    attack_s, steep_s = table[..., Hiss.ATTACK_S], _steep_s(table[..., Hiss.DECAY_NEPERS_S], over_db)
    moving = (over_db > 0) & ((attack_s < _shortest_s(over_db, _RISE_BEND)) | (steep_s > 0))
    return float((table[..., Hiss.DELAY_S] + attack_s + steep_s)[moving].max(initial=0.0))


def _hiss_falls(hiss: NDArray[np.float32]) -> bool:
    short = hiss[..., Hiss.RELEASE_S] < _shortest_s(_EXACT_HISS_DB, _RELEASE_BEND)
    return bool(np.any(short & (hiss[..., Hiss.GATE_S] < OPEN_S)))


def _hiss_end_s(hiss: NDArray[np.float32]) -> float:
    if not len(hiss):
        return 0.0
    table = hiss.astype(float)
    released = table[..., Hiss.GATE_S] + table[..., Hiss.RELEASE_S]
    faded = (
        table[..., Hiss.DELAY_S]
        + table[..., Hiss.ATTACK_S]
        + _fading_s(table[..., Hiss.DECAY_NEPERS_S], -INAUDIBLE_DB)
    )
    return float(np.minimum(released, faded).max())
