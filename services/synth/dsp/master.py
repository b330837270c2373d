"""From the mix to 16-bit samples: planar ``[ear, frame]`` until the last step interleaves."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import arrays
from services.synth.dsp.noise import SCATTER

# The saturation is a cubic that would rise to twice full scale. The larger, the purer: at this size a mix of
# -18 LUFS has its distortion 59 dB under itself (47 dB at half the size), and the limiter, which
# is inaudible at such work, has at most 7.5 dB to take away.
_LARGEST: Final = 2.0
_KNEE: Final = 1.5 * _LARGEST
_BEND: Final = 4 / 27 / _LARGEST**2
_FULL_SCALE: Final = 32767.0
# An ear reads one half of a table of dither: six seconds, of which each chunk begins somewhere else.
_HALF_BITS: Final = 17
_HALF: Final = 1 << _HALF_BITS
_DITHER_KEY: Final = 2
_HASH_BITS: Final = 64


def saturate(mix: NDArray[np.float32]) -> NDArray[np.float32]:
    """``x - 4/27 x^3 / 4``, level from ``x = 3`` on, where it is 2.

    Its only harmonic is the third: 77 dB under a peak of 0.125, 53 dB under 0.5.
    """
    x = mix.clip(-_KNEE, _KNEE)
    curve: NDArray[np.float32] = x * x
    curve *= np.float32(-_BEND)
    curve += np.float32(1)
    curve *= x
    return curve


def crossfade(old: NDArray[np.float32], new: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """``old`` into ``new`` (``[ear, frame]``) over the first ``frames``; linearly."""
    fade_in = (np.arange(frames, dtype=np.float32) + 0.5) / np.float32(frames)
    mixed = new.copy()
    # In this form what is the same in both stays exactly as it is.
    mixed[:, :frames] += (old[:, :frames] - new[:, :frames]) * (1 - fade_in)
    return mixed


def dither(seed: int, seq: int, audio: AudioFormat) -> NDArray[np.float32]:
    """Triangular dither of ±1 LSB for chunk ``seq``: ``[ear, frame]``, read-only.

    It is read from one table, at a place that is a function of seed and chunk: a chunk has the same noise
    whoever renders it.
    """
    scattered = (seed * SCATTER + seq) * SCATTER % (1 << _HASH_BITS)
    first = scattered >> (_HASH_BITS - _HALF_BITS)  # of a multiplicative hash the highest bits are the best
    frames = audio.frames_per_chunk
    found: NDArray[np.float32] = arrays.windows(_triangular()[first : first + _HALF + frames], frames, _HALF)
    return found


@cache
def _triangular() -> NDArray[np.float32]:
    """Both halves, and their beginning once more for as long as a chunk is."""
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
