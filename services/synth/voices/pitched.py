"""The rows of a note's partials and of its body, from their patch."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.stereo import equal_power
from services.synth.patches.schema import Decay
from services.synth.voices.columns import Bend, Fast, Slow
from services.synth.voices.playing import Playing
from services.synth.voices.spectrum import Partials
from services.synth.voices.voice import Rows

NEPERS: Final = math.log(10) / 20  # per decibel
OPEN_S: Final = 1e6  # the gate of partials that ring until they have decayed
_NO_CUTOFF_HZ: Final = 1e9
_TURNS_PER_CENT: Final = math.log(2) / 1200
# The frequency deviation of vibrato is limited: interpolating a phase that swings faster would cost level.
_WIDEST_SWING_HZ: Final = 10.0
# Brightness tilts a spectrum over this many octaves; partials beyond move together.
_TILTED_OCTAVES: Final = 2.2
# Velocity tilts it, too: from 0 to 1 as much as this change of brightness.
_BRIGHTER: Final = 0.5
_MIDDLE_VELOCITY: Final = 0.6
_BODY_ATTACK_S: Final = 0.004
_BODY_DETUNE_OCTAVES: Final = 0.02
_BODY_PAN: Final = 0.2


def partial_rows(playing: Playing, partials: Partials) -> Rows:
    """The rows of the partials that follow the pitch."""
    slow, fast, bend = empty_tables(len(partials.freq_hz))
    slow[:, Slow.GAIN] = partials.gain * playing.level
    slow[:, Slow.FREQ_HZ] = partials.freq_hz
    _timbre(slow, playing, partials)
    _morph(slow, playing, partials)
    _wander(slow, playing, partials)
    _envelope(fast, playing, partials)
    _decay(fast, playing, partials)
    _tremolo(fast, playing, partials)
    _vibrato(bend, playing, partials)
    _slide(bend, playing, partials)
    note, patch = playing.note, playing.patch
    pan = partials.pan + note.pan + patch.pan_by_pitch * (note.pitch - 64) / 40
    pan = pan + playing.draw.uniform(-1, 1, len(pan)) * patch.partial_pan
    stereo = stereo_gains(pan, partials.freq_hz, patch.mono_below_hz)
    return rows_of((slow, fast, bend, stereo), partials.freq_hz, playing.draw)


def body_rows(playing: Playing) -> Rows:
    """The rows of the body's resonances, struck with the note."""
    modes, draw = playing.patch.body, playing.draw
    slow, fast, bend = empty_tables(len(modes))
    freq_hz = np.array([mode.hz for mode in modes]) * 2 ** (draw.normal(0, _BODY_DETUNE_OCTAVES, len(modes)))
    slow[:, Slow.GAIN] = [10 ** (mode.level_db / 20) * playing.level for mode in modes]
    slow[:, Slow.FREQ_HZ] = freq_hz
    fast[:, Fast.ATTACK_S] = min(playing.patch.envelope.attack_s, _BODY_ATTACK_S)
    fast[:, Fast.FAST] = [60 * NEPERS / mode.t60_s for mode in modes]
    pan = playing.note.pan + draw.uniform(-_BODY_PAN, _BODY_PAN, len(modes))
    stereo = stereo_gains(pan, freq_hz, playing.patch.mono_below_hz)
    return rows_of((slow, fast, bend, stereo), freq_hz, draw)


def empty_tables(count: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """``Slow``, ``Fast`` and ``Bend`` tables of partials that neither move nor bend, with open gates."""
    slow, fast, bend = (np.zeros((count, len(columns))) for columns in (Slow, Fast, Bend))
    slow[:, Slow.CUTOFF_HZ] = _NO_CUTOFF_HZ
    fast[:, Fast.GATE_S], fast[:, Fast.RELEASE_S] = OPEN_S, 1.0
    bend[:, Bend.SLIDE_S] = 1.0
    return slow, fast, bend


def rows_of(
    tables: tuple[Float64Array, Float64Array, Float64Array, Float64Array],
    freq_hz: Float64Array,
    draw: np.random.Generator,
) -> Rows:
    """Rows from ``Slow``, ``Fast`` and ``Bend`` tables and stereo gains, each with a random phase.

    All of ``tables`` are ``[partial, column]``.
    """
    table = np.concatenate(tables, axis=1).T.astype(np.float32, order="C")
    return Rows(table, freq_hz, draw.random(len(freq_hz)))


def joined(first: Rows, second: Rows) -> Rows:
    """The rows of both, concatenated."""
    if not len(second):
        return first
    pairs = ((getattr(first, name), getattr(second, name)) for name in Rows.__slots__)
    return Rows(*(np.concatenate(pair, axis=-1) for pair in pairs))


def stereo_gains(pan: Float64Array, freq_hz: Float64Array, mono_below_hz: float) -> Float64Array:
    """Equal-power gains ``[partial, ear]``; low partials stay in the middle."""
    narrowed = np.clip(pan, -1, 1) * np.clip(freq_hz / mono_below_hz - 0.5, 0, 1)
    return equal_power(narrowed)


def _timbre(slow: Float64Array, playing: Playing, partials: Partials) -> None:
    octaves = np.clip(np.log2(partials.freq_hz / playing.f0_hz), -1.0, _TILTED_OCTAVES)
    tilt = playing.patch.brightness_db * octaves * NEPERS
    slow[:, Slow.TILT] = tilt
    slow[:, Slow.GAIN] *= np.exp(tilt * _BRIGHTER * (playing.note.velocity - _MIDDLE_VELOCITY))
    low_pass = playing.patch.filter
    if low_pass is None:
        return
    opened = low_pass.tracking * np.log2(playing.f0_hz / 220)
    opened += low_pass.velocity_octaves * (playing.note.velocity - 0.7)
    slow[:, Slow.CUTOFF_HZ] = low_pass.cutoff_hz * 2**opened
    slow[:, Slow.CUTOFF_OCTAVES] = low_pass.octaves
    slow[:, Slow.CUTOFF_SWING] = low_pass.motion_octaves
    rate_turns = _slow_swing(playing, low_pass.motion_hz, low_pass.together)
    slow[:, [Slow.CUTOFF_SWING_HZ, Slow.CUTOFF_TURNS]] = rate_turns


def _slow_swing(playing: Playing, rate_hz: float, together: bool) -> tuple[float, float]:
    """Rate and phase of a swing: random for this note, or (``together``) of the channel's common swing."""
    if together:
        return rate_hz, rate_hz * playing.audio.seconds(playing.note.at_frame) % 1.0
    return rate_hz * 2 ** playing.draw.uniform(-0.7, 0.7), playing.draw.random()


def _morph(slow: Float64Array, playing: Playing, partials: Partials) -> None:
    slow[:, Slow.FIRST :] = partials.morph_db * NEPERS
    morph = playing.patch.morph
    if morph is None:
        return
    slow[:, Slow.MORPH_AT] = morph.position + morph.pitch_share * playing.octaves
    slow[:, Slow.MORPH_INTENSITY] = morph.intensity_share
    slow[:, Slow.MORPH_SWING] = morph.depth
    slow[:, [Slow.MORPH_HZ, Slow.MORPH_TURNS]] = _slow_swing(playing, morph.rate_hz, morph.together)


def _wander(slow: Float64Array, playing: Playing, partials: Partials) -> None:
    """Each partial's level wanders at a rate and phase of its own."""
    motion, draw, count = playing.patch.motion, playing.draw, len(partials.number)
    depth_db = motion.wander_db + motion.wander_step_db * (partials.number - 1)
    slow[:, Slow.WANDER] = depth_db * NEPERS
    slow[:, Slow.WANDER_HZ] = motion.wander_hz * 2 ** draw.uniform(-0.7, 0.7, count)
    slow[:, Slow.WANDER_TURNS] = draw.random(count)


def _envelope(fast: Float64Array, playing: Playing, partials: Partials) -> None:
    envelope, later = playing.patch.envelope, partials.number - 1
    starts = playing.draw.random(partials.copies) * playing.patch.unison.start_spread_s
    fast[:, Fast.DELAY_S] = starts[partials.copy] + envelope.delay_step_s * later
    fast[:, Fast.ATTACK_S] = envelope.attack_s * (1 + envelope.attack_step * later)
    fast[:, Fast.GATE_S] = playing.gate_s
    fast[:, Fast.RELEASE_S] = envelope.release_s / (1 + envelope.release_step * later)


def _decay(fast: Float64Array, playing: Playing, partials: Partials) -> None:
    """Two stages with a knee that is random for each partial, so that no two partials decay alike."""
    decay, draw, count = playing.patch.decay, playing.draw, len(partials.number)
    t60_s = getattr(playing.patch.partials, "t60_s", ())
    decay = decay or Decay() if t60_s else decay
    if decay is None:
        return
    fast_db_s, slow_db_s = _rates_db_s(decay, t60_s, partials.number - 1)
    tracking = 2 ** (playing.octaves * decay.tracking)
    chance = 2 ** (draw.normal(0, 1, count) * decay.spread_octaves)
    fast[:, Fast.FAST] = fast_db_s * NEPERS * tracking * chance
    fast[:, Fast.SLOW] = slow_db_s * NEPERS * tracking
    share_db = decay.slow_share_db + draw.normal(0, 1, count) * decay.slow_spread_db
    fast[:, Fast.SLOW_SHARE] = np.minimum(1.0, 10 ** (share_db / 20))


def _rates_db_s(
    decay: Decay, t60_s: tuple[float, ...], later: NDArray[np.intp]
) -> tuple[Float64Array, Float64Array]:
    if t60_s:
        own = 60 / np.array(t60_s)[later]
        return own, own * decay.slow_ratio
    fast_step, slow_step = (np.asarray(1.0 + step * later) for step in (decay.fast_step, decay.slow_step))
    return decay.fast_db_s * fast_step, decay.slow_db_s * slow_step


def _tremolo(fast: Float64Array, playing: Playing, partials: Partials) -> None:
    motion, draw = playing.patch.motion, playing.draw
    depth_db = motion.tremolo_db + motion.tremolo_step_db * (partials.number - 1)
    fast[:, Fast.TREMOLO] = np.where(partials.number <= motion.tremolo_partials, depth_db, 0.0) * NEPERS
    fast[:, Fast.TREMOLO_HZ] = draw.uniform(motion.tremolo_low_hz, motion.tremolo_high_hz)
    fast[:, Fast.TREMOLO_TURNS] = draw.random()


def _vibrato(bend: Float64Array, playing: Playing, partials: Partials) -> None:
    """Each copy has a vibrato at a rate of its own."""
    motion, draw = playing.patch.motion, playing.draw
    if not motion.vibrato_cents:
        return
    rate_hz = draw.uniform(motion.vibrato_low_hz, motion.vibrato_high_hz, partials.copies)[partials.copy]
    swing_hz = np.minimum(partials.freq_hz * motion.vibrato_cents * _TURNS_PER_CENT, _WIDEST_SWING_HZ)
    bend[:, Bend.VIBRATO_TURNS] = swing_hz / (2 * math.pi * np.maximum(rate_hz, 0.1))
    bend[:, Bend.VIBRATO_HZ] = rate_hz
    bend[:, Bend.VIBRATO_PHASE_TURNS] = draw.random(partials.copies)[partials.copy]
    bend[:, Bend.VIBRATO_AFTER_S] = motion.vibrato_after_s


def _slide(bend: Float64Array, playing: Playing, partials: Partials) -> None:
    motion = playing.patch.motion
    bend[:, Bend.SLIDE_S] = motion.slide_s
    bend[:, Bend.SLIDE_TURNS] = partials.freq_hz * (2 ** (motion.slide_cents / 1200) - 1) * motion.slide_s
