"""A ping-pong delay in time with the beat, as a finite impulse response.

A delay line with feedback never ends, so its contents would have to be handed from chunk to chunk. Seven taps
sound the same: each is quieter, darker and thinner than the one before and comes from the other side. Each is
a burst of a few milliseconds, longer from tap to tap, so that struck notes come back soft.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.synth.dsp.arrays import Float64Array
from services.synth.dsp.diffusion import burst
from services.synth.dsp.filters import band_end, frequencies, high_pass, low_pass
from services.synth.dsp.stereo import equal_power

TAPS: Final = 7
# Slow tempos lose their last taps: a worker that takes over has to render this much of the past.
LONGEST_S: Final = 3.5
_FEEDBACK: Final = 0.46
_LOW_PASS_HZ: Final = 5200.0
_LOW_PASS_STEP: Final = 0.82
_HIGH_PASS_HZ: Final = 180.0
_HIGH_PASS_STEP: Final = 1.12
_FIRST_BURST_S: Final = 0.004
_LAST_BURST_S: Final = 0.008
# The band in which a tap's spectrum falls to 0, in multiples of the cutoff of its low-pass.
_BAND_END: Final = (1.5, 3.0)
HIGHEST_HZ: Final = _LOW_PASS_HZ * _LOW_PASS_STEP * _BAND_END[1]
# The filters' ringing before and after a burst, until it is 80 dB down.
_LEAD_S: Final = 0.002
_RINGING_S: Final = 0.012
_SEED: Final = 0x70696E67


def impulse(beat_s: float, division: float, audio: AudioFormat) -> Float64Array:
    """The stereo response to a mono input: ``[ear, frame]``.

    Args:
        beat_s: seconds per beat.
        division: beats between taps, such as 3/4.
        audio: gives the sample rate; taps begin at whole frames, multiples of the first tap's.

    Returns:
        At most :data:`LONGEST_S`. Taps that would not end by then are left out, if need be all of them.
    """
    spacing, lead = audio.frames(beat_s * division), audio.frames(_LEAD_S)
    out = np.zeros((AUDIO_CHANNELS, audio.frames(LONGEST_S)))
    end = 0
    for tap in range(1, TAPS + 1):
        echo = _echo(tap, audio)
        start = tap * spacing - lead
        if start + len(echo) > out.shape[1]:
            break
        end = start + len(echo)
        out[:, start:end] += equal_power(pan(tap))[:, None] * echo
    return out[:, :end]


def pan(tap: int) -> float:
    """The position of tap 1, 2, …, -1 (left) to 1: sides alternate, further out up to 0.85."""
    return float((-1) ** tap * min(0.85, 0.55 + 0.06 * tap))


@cache
def _echo(tap: int, audio: AudioFormat) -> Float64Array:
    """One tap in mono, its burst after a lead: ``[frame]``."""
    share = (tap - 1) / (TAPS - 1)
    burst_s = _FIRST_BURST_S + share * (_LAST_BURST_S - _FIRST_BURST_S)
    noise = burst(np.random.default_rng([_SEED, tap]), audio.frames(burst_s))
    lead, frames = audio.frames(_LEAD_S), audio.frames(_LEAD_S + burst_s + _RINGING_S)
    spectrum = np.fft.rfft(np.pad(noise, (lead, frames - lead - len(noise))), 2 * frames)
    filtered = np.fft.irfft(spectrum * _colour(tap, 2 * frames, audio.sample_rate_hz))[:frames]
    return filtered * _FEEDBACK ** (tap - 1)


def _colour(tap: int, frames: int, rate_hz: int) -> NDArray[np.complex128]:
    """The frequency response of a tap's filters, for a transform of ``frames``."""
    freq_hz = frequencies(frames, rate_hz)
    cutoff_hz = _LOW_PASS_HZ * _LOW_PASS_STEP**tap
    dark = low_pass(freq_hz, cutoff_hz, rate_hz) * band_end(freq_hz, *(end * cutoff_hz for end in _BAND_END))
    return dark * high_pass(freq_hz, _HIGH_PASS_HZ * _HIGH_PASS_STEP**tap, rate_hz)
