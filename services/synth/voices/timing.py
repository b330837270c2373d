"""When what about a note matters: how long its levels move fast, when each of its partials has died.

Levels are interpolated over a chunk where that errs by less than :data:`_EXACT_DB` under the loudest
partial's onset: in attacks and releases that are long or quiet enough, in decays once they are low enough. A
straight line over ``h`` errs by ``h^2 / 8`` of the second derivative.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.synth.voices.columns import Fast, Hiss
from services.synth.voices.loudness import levels_db
from services.synth.voices.pitched import NEPERS, OPEN_S
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import INAUDIBLE_DB
from services.synth.voices.voice import YOUNG_S, Rows, Timing

Array = NDArray[np.float64]

_STRUCK_S: Final = 0.015  # an attack that is faster needs the full grid
_EXACT_DB: Final = 63.0
_EXACT_HISS_DB: Final = 40.0
_FAST_GUST_HZ: Final = 0.5
_CHUNK_S: Final = 1 / CHUNKS_PER_SECOND
# The largest second derivatives of a rise over a second, and of a release (the square of such a fall).
_RISE_BEND: Final = 6.0
_RELEASE_BEND: Final = 12.0


def timing_of(playing: Playing, rows: Rows, hiss: NDArray[np.float32], over_floor_db: Array) -> Timing:
    """The timing of a note.

    Args:
        playing: the note and its patch.
        rows: its partials.
        hiss: its noises.
        over_floor_db: how far each partial rises at most over what can be heard: ``[range, partial]``.
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
    """That of grains between two frames: short ones that always move; ``loud`` is ``[range, grain]``."""
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


def _frames(seconds: Array, at: int, audio: AudioFormat) -> NDArray[np.int64]:
    return np.asarray(at + np.ceil(np.minimum(seconds, 1e9) * audio.sample_rate_hz)).astype(np.int64)


def _over_db(rows: Rows) -> Array:
    """How far each partial lies over what need not be exact."""
    level_db = levels_db(rows)
    return np.asarray(level_db - level_db.max(initial=-np.inf) + _EXACT_DB)


def _shortest_s(over_db: Array | float, bend: float) -> Array:
    """How long a curve of such a second derivative has to take to be interpolated well enough."""
    return np.asarray(_CHUNK_S * np.sqrt(bend / 8 * 10 ** (np.asarray(over_db) / 20)))


def _risen_s(fast: Array, share_db: Array, over_db: Array) -> Array:
    """Until when each partial rises, decays or trembles too fast to be interpolated over a chunk."""
    attack_s = fast[Fast.ATTACK_S]
    rising = np.where(attack_s < _shortest_s(over_db, _RISE_BEND), fast[Fast.DELAY_S] + attack_s, 0.0)
    steep_s = _steep_s(fast[[Fast.FAST, Fast.SLOW]], np.stack([over_db, over_db + share_db]))
    return np.asarray(np.where(fast[Fast.TREMOLO] != 0, np.inf, np.maximum(rising, steep_s.max(axis=0))))


def _falls(fast: Array, over_db: Array) -> NDArray[np.bool_]:
    """Which partials are released too fast to be interpolated over a chunk."""
    short = fast[Fast.RELEASE_S] < _shortest_s(over_db, _RELEASE_BEND)
    return np.asarray(short & (fast[Fast.GATE_S] < OPEN_S))


def _steep_s(nepers_s: Array, over_db: Array) -> Array:
    """Until when a straight line over a chunk errs too much: by ``x^2 / 8`` of a decay of x nepers."""
    falls = np.maximum(nepers_s, 1e-6)
    error_db = np.log(np.minimum(1.0, (falls * _CHUNK_S) ** 2 / 8)) / NEPERS
    return np.asarray(np.maximum(over_db + error_db, 0.0) * NEPERS / falls)


def _ends_s(fast: Array, share_db: Array, fall_db: Array) -> Array:
    """When each partial is silent: released, or decayed by ``fall_db``; ``[range, partial]``."""
    released = fast[Fast.GATE_S] + fast[Fast.RELEASE_S] * _release_share(fall_db)
    stages = _fading_s(fast[Fast.FAST], fall_db), _fading_s(fast[Fast.SLOW], fall_db + share_db)
    faded = fast[Fast.DELAY_S] + fast[Fast.ATTACK_S] + np.maximum(*stages)
    return np.asarray(np.where(fall_db > 0, np.minimum(released, faded), 0.0))


def _release_share(fall_db: Array) -> Array:
    """The share of a release after which it has fallen so far: the inverse of a squared smoothstep."""
    left = 10 ** (-np.maximum(fall_db, 0.0) / 40)
    return np.asarray(0.5 - np.sin(np.arcsin(1 - 2 * (1 - left)) / 3))


def _fading_s(nepers_s: Array, fall_db: Array | float) -> Array:
    """How long it takes to fall so far; for ever at a rate of 0."""
    lasting = np.where(nepers_s > 0, fall_db * NEPERS / np.maximum(nepers_s, 1e-6), np.inf)
    return np.where(np.asarray(fall_db) > 0, lasting, 0.0)


def _hiss_risen_s(hiss: NDArray[np.float32]) -> float:
    """Until when noise rises, dies away or blusters too fast to be interpolated over a chunk."""
    table = hiss.astype(float)
    if np.any((table[..., Hiss.GUST] > 0) & (table[..., Hiss.GUST_HZ] > _FAST_GUST_HZ)):
        return 1e9
    level_db = np.log(np.maximum(table[..., Hiss.GAIN], 1e-9)) / NEPERS
    over_db = level_db - level_db.max(initial=-np.inf) + _EXACT_HISS_DB
    attack_s, steep_s = table[..., Hiss.ATTACK_S], _steep_s(table[..., Hiss.DECAY], over_db)
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
        + _fading_s(table[..., Hiss.DECAY], -INAUDIBLE_DB)
    )
    return float(np.minimum(released, faded).max())
