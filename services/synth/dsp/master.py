"""From the mix to 16-bit samples: planar ``[ear, frame]`` until the last step interleaves."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import arrays
from services.synth.dsp.noise import SCATTER

# The saturation is a cubic that levels off at twice full scale. The higher this limit, the purer: here a mix
# of -18 LUFS has its distortion 59 dB under itself (47 dB at half the limit), and the limiter, inaudible at
# such work, has at most 7.5 dB to take away.
_LARGEST: Final = 2.0
_KNEE: Final = 1.5 * _LARGEST
_BEND: Final = 4 / 27 / _LARGEST**2
_FULL_SCALE: Final = 32767.0
# The table of dither lasts six seconds. The left ear reads from a place in its first half that differs from
# chunk to chunk, the right ear half a table later.
_HALF_BITS: Final = 17
_HALF: Final = 1 << _HALF_BITS
_DITHER_KEY: Final = 2
_HASH_BITS: Final = 64


def saturate(mix: NDArray[np.float32]) -> NDArray[np.float32]:
    """``x - x^3 / 27``, clipped at ``|x| = 3``, where it reaches 2.

    It adds only a third harmonic to a sine: 77 dB down at a peak of 0.125, 53 dB down at 0.5.
    """
    x = mix.clip(-_KNEE, _KNEE)
    curve: NDArray[np.float32] = x * x
    curve *= np.float32(-_BEND)
    curve += np.float32(1)
    curve *= x
    return curve


def crossfade(old: NDArray[np.float32], new: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """``old`` into ``new`` (``[ear, frame]``), linearly over the first ``frames``."""
    fade_in = (np.arange(frames, dtype=np.float32) + 0.5) / np.float32(frames)
    mixed = new.copy()
    # In this form values that are equal in both stay exactly the same.
    mixed[:, :frames] += (old[:, :frames] - new[:, :frames]) * (1 - fade_in)
    return mixed


def dither(seed: int, seq: int, audio: AudioFormat) -> NDArray[np.float32]:
    """Triangular dither of ±1 LSB for chunk ``seq``: ``[ear, frame]``, read-only.

    It is read from one table, at a place that is a function of seed and chunk: a chunk has the same noise
    whichever worker renders it.
    """
    scattered = (seed * SCATTER + seq) * SCATTER % (1 << _HASH_BITS)
    first = scattered >> (_HASH_BITS - _HALF_BITS)  # the highest bits of a multiplicative hash are the best
    frames = audio.frames_per_chunk
    found: NDArray[np.float32] = arrays.windows(_triangular()[first : first + _HALF + frames], frames, _HALF)
    return found


@cache
def _triangular() -> NDArray[np.float32]:
    """Both halves, followed by a repeat of their start for the length of a chunk."""
    draw = np.random.Generator(np.random.Philox(key=_DITHER_KEY))
    one, other = draw.random((2, AUDIO_CHANNELS * _HALF), dtype=np.float32)
    longest = max(AudioFormat(rate_hz).frames_per_chunk for rate_hz in SAMPLE_RATES_HZ)
    table = np.resize(one - other, AUDIO_CHANNELS * _HALF + longest)
    table.setflags(write=False)
    return table


def to_pcm(samples: NDArray[np.float32], noise: NDArray[np.float32]) -> bytes:
    """Samples (±1) with ``noise`` (LSB), both ``[ear, frame]``, as interleaved 16-bit little-endian PCM."""
    scaled = samples * np.float32(_FULL_SCALE)
    scaled += noise
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    pcm = np.empty(samples.shape[::-1], dtype="<i2")
    for ear, values in enumerate(scaled):  # one by one: twice as fast as the transpose
        pcm[:, ear] = values
    return pcm.tobytes()
