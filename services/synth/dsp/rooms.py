"""Rooms as impulse responses that are designed, not recorded.

A room is data: how long each octave rings, when reflections come and from where. Its response is made from

- a tail: random pulses that grow dense until they are Gaussian noise, shaped in a short-time spectrum to the
  decay of each frequency; the ears share the bass and have independent highs, as in a diffuse sound field,
- early reflections: short diffuse echoes from given directions,
- the send's high-pass and low-pass.

Noise that decays has no modes, so it cannot ring at a pitch or flutter (Moorer 1979).

Every room is equally loud: pink noise comes back in each ear with the loudness (ITU-R BS.1770: K-weighted
power) with which it was sent. The response is a function of the room alone: at another sample rate it is the
same response, resampled.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from auralis.audio import AUDIO_CHANNELS, SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.diffusion import burst
from services.synth.dsp.filters import band_end, frequencies, high_pass, k_weighting, low_pass
from services.synth.dsp.stereo import diffuse_coherence, equal_power

OCTAVES_HZ: Final = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)

_SEND_HIGH_PASS_HZ: Final = 140.0
_SEND_LOW_PASS_HZ: Final = 7000.0
HIGHEST_HZ: Final = 16_000.0
_BAND_END_HZ: Final = (11_000.0, HIGHEST_HZ)
# The rate at which every response is drawn. Drawn separately at each rate, a room would not be the same: how
# loud a tone comes back, and in which phase, is up to chance, and held tones add to their reverberation.
# Pieces came out 0.7 to 1.2 LU louder at 48 kHz.
_DESIGN: Final = AudioFormat(SAMPLE_RATES_HZ[0])
# A response is faded out and ends where this much of its energy is left, for pink noise.
_FLOOR_DB: Final = -75.0
_FADE_SHARE: Final = 0.12
# Pulses a second at the tail's onset: fewer would be heard one by one.
_FIRST_DENSITY_HZ: Final = 2000.0
# An octave is heard to decay like its slower, lower part: its T60 applies this far below its centre.
_SLOWER_PART_OCTAVES: Final = 0.12
_WINDOW: Final = 2048
_HOP: Final = 512
_REFLECTION_S: Final = 0.0035
_REFLECTION_HIGH_PASS_HZ: Final = 180.0
_REFLECTION_LOW_PASS_HZ: Final = 5000.0
_RINGING_S: Final = 0.02
_FAR_EAR_S: Final = 0.0006
# Loudness and decay are weighed from here up, where music is.
_LOWEST_HZ: Final = 20.0


@dataclass(frozen=True, slots=True)
class Reflection:
    """One early reflection: ms after the pre-delay, level, position (-1 left, 1 right)."""

    at_ms: float
    level_db: float
    pan: float


@dataclass(frozen=True, slots=True)
class Room:
    """What a room's response is designed from.

    ``t60_s`` is the time in which each of :data:`OCTAVES_HZ` falls by 60 dB. The first reflection comes after
    ``pre_delay_ms``. The tail begins ``tail_onset_ms`` later, reaches its level with the time constant
    ``build_ms`` and is as dense as noise after ``mixing_ms``. ``early_db`` is the energy of the reflections
    relative to the tail's.
    """

    name: str
    description: str
    t60_s: tuple[float, ...]
    pre_delay_ms: float
    tail_onset_ms: float
    build_ms: float
    mixing_ms: float
    early_db: float = 0.0
    reflections: tuple[Reflection, ...] = ()


def _reflections(*rows: tuple[float, float, float]) -> tuple[Reflection, ...]:
    return tuple(Reflection(*row) for row in rows)


_ALL: Final = (
    Room(
        "hall",
        "a large wooden hall: warm, three seconds",
        t60_s=(3.4, 3.5, 3.3, 3.1, 2.9, 2.4, 1.7, 1.0, 0.55),
        pre_delay_ms=22.0,
        tail_onset_ms=18.0,
        build_ms=45.0,
        mixing_ms=110.0,
        early_db=-3.5,
        reflections=_reflections(
            (0.0, 0.0, -0.35),
            (5.3, -1.5, 0.55),
            (11.9, -2.5, -0.8),
            (17.1, -3.0, 0.8),
            (24.7, -4.0, -0.25),
            (31.3, -4.5, 0.4),
            (38.9, -5.5, -0.9),
            (47.3, -6.0, 0.9),
            (58.0, -7.0, -0.5),
            (70.0, -8.0, 0.6),
        ),
    ),
    Room(
        "cathedral",
        "stone and height: dark, seven seconds, slow to speak",
        t60_s=(7.5, 7.6, 7.2, 6.6, 5.8, 4.4, 2.7, 1.4, 0.7),
        pre_delay_ms=34.0,
        tail_onset_ms=40.0,
        build_ms=110.0,
        mixing_ms=220.0,
        early_db=-9.0,
        reflections=_reflections(
            (0.0, -3.0, 0.4),
            (14.0, -3.0, -0.6),
            (29.0, -4.0, 0.9),
            (48.0, -5.0, -0.9),
            (71.0, -6.0, 0.3),
            (102.0, -7.0, -0.5),
            (132.0, -8.0, 0.7),
        ),
    ),
    Room(
        "plate",
        "a steel plate: dense from its first moment, bright, no walls",
        t60_s=(4.6, 4.4, 4.1, 3.8, 3.4, 2.9, 2.3, 1.6, 1.0),
        pre_delay_ms=6.0,
        tail_onset_ms=0.0,
        build_ms=3.0,
        mixing_ms=4.0,
    ),
    Room(
        "room",
        "a living room: close, less than a second",
        t60_s=(0.95, 0.9, 0.8, 0.75, 0.7, 0.65, 0.58, 0.48, 0.38),
        pre_delay_ms=4.0,
        tail_onset_ms=6.0,
        build_ms=8.0,
        mixing_ms=25.0,
        early_db=-4.0,
        reflections=_reflections(
            (0.0, 0.0, 0.5),
            (2.3, -1.0, -0.6),
            (4.1, -2.0, 0.8),
            (6.7, -2.5, -0.8),
            (8.9, -3.5, 0.2),
            (11.3, -4.0, -0.3),
            (14.9, -5.0, 0.9),
            (18.7, -6.0, -0.9),
        ),
    ),
)

ROOMS: Final[Mapping[str, Room]] = {room.name: room for room in _ALL}


def impulse(room: Room, audio: AudioFormat) -> Float64Array:
    """The room's response, including the send's filters and the calibration: ``[ear, frame]``."""
    return _resampled(_designed(room, _DESIGN), _DESIGN, audio)


def _designed(room: Room, audio: AudioFormat) -> Float64Array:
    """The response, drawn at the rate of ``audio``: ``[ear, frame]``."""
    random = np.random.default_rng(zlib.crc32(room.name.encode()))
    tail = _tail(room, audio, random)
    onset = audio.frames((room.pre_delay_ms + room.tail_onset_ms) / 1000)
    out = np.pad(tail, ((0, 0), (onset, 0)))
    if room.reflections:
        early = _early(room, audio, random)
        early *= np.sqrt(10 ** (room.early_db / 10) * np.sum(tail**2) / np.sum(early**2))
        out[:, : early.shape[1]] += early
    return _finished(out, audio)


def tail_s(room: Room) -> float:
    """How long the tail is: until its energy has fallen to the floor, for pink noise through the send."""
    freq_hz = np.geomspace(_LOWEST_HZ, OCTAVES_HZ[-1], 200)
    rate_hz = _DESIGN.sample_rate_hz
    send = high_pass(freq_hz, _SEND_HIGH_PASS_HZ, rate_hz) * low_pass(freq_hz, _SEND_LOW_PASS_HZ, rate_hz)
    t60_s = _t60_s(room, freq_hz)
    at_s = np.linspace(0.0, -_FLOOR_DB / 60 * max(room.t60_s), 500)
    left = np.sum(np.abs(send) ** 2 * t60_s * 10 ** (-6 * at_s[:, None] / t60_s), axis=1)
    left_db = 10 * np.log10(left / left[0])
    return float(np.interp(-_FLOOR_DB, -left_db, at_s))


def _tail(room: Room, audio: AudioFormat, random: np.random.Generator) -> Float64Array:
    """Shaped noise from the tail's onset to its end: ``[ear, frame]``."""
    slowest_s = max(room.t60_s)
    frames = audio.frames(tail_s(room))
    pulses = np.stack([_pulses(frames, room.mixing_ms / 1000, audio, random) for _ in range(AUDIO_CHANNELS)])
    shaped = _shaped(pulses, room, slowest_s, audio)
    at_s = np.arange(frames) / audio.sample_rate_hz
    build = 1 - np.exp(-at_s / (room.build_ms / 1000))
    return shaped * (build * 10 ** (-3 * at_s / slowest_s))


def _pulses(frames: int, mixing_s: float, audio: AudioFormat, random: np.random.Generator) -> Float64Array:
    """Gaussian pulses of constant power whose density grows to one a frame at ``mixing_s``; then noise."""
    rate = audio.sample_rate_hz
    noise = random.standard_normal(frames)
    sparse = min(frames, audio.frames(mixing_s))
    density = (_FIRST_DENSITY_HZ / rate) ** (1 - np.arange(sparse) / sparse)
    # One pulse in each stretch that expects one: evenly rough, where independent draws would clump.
    expected = np.concatenate([[0.0], np.cumsum(density)])
    places = np.arange(int(expected[-1])) + random.random(int(expected[-1]))
    at = np.searchsorted(expected, places, side="right") - 1
    heights = random.standard_normal(len(at)) / np.sqrt(density[at])
    noise[:sparse] = np.bincount(at, weights=heights, minlength=sparse)
    return noise


def _shaped(noise: Float64Array, room: Room, slowest_s: float, audio: AudioFormat) -> Float64Array:
    """Turn independent noise into what two ears hear, and decay each frequency relative to the slowest.

    Only this difference is applied in the short-time spectrum. The onset and the slowest decay are applied to
    the frames, so that nothing smears to before the onset.
    """
    frames = noise.shape[1]
    margin = _WINDOW
    padded = np.pad(noise, ((0, 0), (margin, margin + _HOP - frames % _HOP)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
    hann = np.sin(np.pi * np.arange(_WINDOW) / _WINDOW) ** 2
    freq_hz = frequencies(_WINDOW, audio.sample_rate_hz)
    centre_s = (np.arange(windows.shape[1]) * _HOP + _WINDOW / 2 - margin) / audio.sample_rate_hz
    faster = 3 * np.log(10) * (1 / _t60_s(room, freq_hz) - 1 / slowest_s)
    gains = np.exp(-np.maximum(centre_s, 0.0)[:, None] * faster)
    common, apart = _ear_mix(freq_hz)
    first, second = np.fft.rfft(windows * hann) * gains
    middle, side = first * common, second * apart
    shaped = np.fft.irfft(np.stack([middle + side, middle - side]), _WINDOW) * hann
    return _overlap_add(shaped)[:, margin : margin + frames]


def _overlap_add(windows: Float64Array) -> Float64Array:
    """Windows ``[ear, window, frame]`` a hop apart as one signal; squared Hann windows add up to 3/2."""
    ears, count, _ = windows.shape
    overlaps = _WINDOW // _HOP
    out = np.zeros((ears, count + overlaps - 1, _HOP))
    for part in range(overlaps):
        out[:, part : part + count] += windows[:, :, part * _HOP : (part + 1) * _HOP]
    return out.reshape(ears, -1) / 1.5


def _t60_s(room: Room, freq_hz: Float64Array) -> Float64Array:
    """The decay time at each frequency, interpolated between octaves on logarithmic scales."""
    octave = np.log2(np.maximum(freq_hz, OCTAVES_HZ[0])) + _SLOWER_PART_OCTAVES
    return np.exp(np.interp(octave, np.log2(OCTAVES_HZ), np.log(room.t60_s)))


def _ear_mix(freq_hz: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Gains of the noise that the ears share and of the noise that they have with opposite signs."""
    coherence = diffuse_coherence(freq_hz)
    return np.sqrt((1 + coherence) / 2), np.sqrt((1 - coherence) / 2)


def _early(room: Room, audio: AudioFormat, random: np.random.Generator) -> Float64Array:
    """The early reflections, from the time of the direct sound on: ``[ear, frame]``."""
    last_ms = max(reflection.at_ms for reflection in room.reflections)
    length = (room.pre_delay_ms + last_ms) / 1000 + _REFLECTION_S + _FAR_EAR_S + _RINGING_S
    out = np.zeros((AUDIO_CHANNELS, audio.frames(length)))
    for reflection in room.reflections:
        echo = burst(random, audio.frames(_REFLECTION_S)) * 10 ** (reflection.level_db / 20)
        start = audio.frames((room.pre_delay_ms + reflection.at_ms) / 1000)
        for ear, gain in enumerate(equal_power(reflection.pan)):
            late = start + audio.frames(_FAR_EAR_S * max(0.0, reflection.pan * (1 - 2 * ear)))
            out[ear, late : late + len(echo)] += gain * echo
    return _filtered(out, _REFLECTION_HIGH_PASS_HZ, _REFLECTION_LOW_PASS_HZ, audio)


def _filtered(
    signal: Float64Array, high_pass_hz: float, low_pass_hz: float, audio: AudioFormat
) -> Float64Array:
    """``signal`` through a high-pass and a low-pass; ringing after its end is dropped."""
    size = _transform_frames(signal.shape[1] + audio.frames(_RINGING_S))
    freq_hz = frequencies(size, audio.sample_rate_hz)
    gains = high_pass(freq_hz, high_pass_hz, audio.sample_rate_hz)
    gains *= low_pass(freq_hz, low_pass_hz, audio.sample_rate_hz) * band_end(freq_hz, *_BAND_END_HZ)
    return np.fft.irfft(np.fft.rfft(signal, size) * gains, size)[:, : signal.shape[1]]


def _finished(response: Float64Array, audio: AudioFormat) -> Float64Array:
    """The response through the send's filters, faded out and calibrated in loudness."""
    filtered = _filtered(response, _SEND_HIGH_PASS_HZ, _SEND_LOW_PASS_HZ, audio)
    fade = int(_FADE_SHARE * filtered.shape[1])
    filtered[:, -fade:] *= np.cos(np.pi / 2 * np.arange(fade) / fade) ** 2
    return filtered / _loudness(filtered, audio)


def _loudness(response: Float64Array, audio: AudioFormat) -> Float64Array:
    """The gain of ``response`` for the loudness of pink noise from 20 Hz up: ``[ear, 1]``."""
    size = _transform_frames(response.shape[1])
    freq_hz = frequencies(size, audio.sample_rate_hz)
    pink = (freq_hz >= _LOWEST_HZ) / np.maximum(freq_hz, _LOWEST_HZ)
    weight = pink * np.abs(k_weighting(freq_hz, audio.sample_rate_hz)) ** 2
    heard = np.sum(np.abs(np.fft.rfft(response, size)) ** 2 * weight, axis=1, keepdims=True)
    gain: Float64Array = np.sqrt(heard / np.sum(weight))
    return gain


def _resampled(response: Float64Array, of: AudioFormat, audio: AudioFormat) -> Float64Array:
    """``response`` resampled from the rate of ``of`` to that of ``audio``, gains unchanged: ``[ear, frame]``.

    A response ends at :data:`HIGHEST_HZ`, under half of either rate, so its spectrum is complete at both: an
    inverse transform of the same duration is exact, where a filter would have an error and a slope.
    """
    if audio == of:
        return response
    step_hz = math.gcd(of.sample_rate_hz, audio.sample_rate_hz)
    old, new = of.sample_rate_hz // step_hz, audio.sample_rate_hz // step_hz
    blocks = _transform_frames(math.ceil(response.shape[1] / old))
    spectrum = np.fft.rfft(response, blocks * old)
    return np.fft.irfft(spectrum, blocks * new)[:, : math.ceil(response.shape[1] * new / old)]


def _transform_frames(frames: int) -> int:
    """The smallest size of the form 2^k, 3·2^k or 5·2^k from ``frames`` up: quick to transform."""
    power = 1 << (frames - 1).bit_length()
    return min(size for size in (power, power * 3 // 4, power * 5 // 8) if size >= frames)
