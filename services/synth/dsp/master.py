"""From the mix to 16-bit samples: planar ``[ear, frame]`` until the last step interleaves."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, SAMPLE_RATES_HZ, AudioFormat

# The saturation is a cubic that would rise to twice full scale. The larger, the purer: at this size a mix of
# -18 LUFS has its distortion 59 dB under itself (47 dB at half the size), and the limiter, which
# is inaudible at such work, has at most 7.5 dB to take away.
_LARGEST: Final = 2.0
_KNEE: Final = 1.5 * _LARGEST
_BEND: Final = 4 / 27 / _LARGEST**2
_FULL_SCALE: Final = 32767.0
# The table of dither repeats after six seconds; the ears never read the same samples of it.
_EAR_BITS: Final = 17
_DITHER_KEY: Final = 2
# Large odd numbers scatter chunks and seeds over the table (Knuth's multiplicative hash): its highest bits.
_SCATTER: Final = 0x9E37_79B9_7F4A_7C15
_SEED_STEP: Final = 0xD1B5_4A32_D192_ED03
_WORD: Final = 2**64 - 1
_UNUSED_BITS: Final = 64 - _EAR_BITS


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
    whoever renders it. The ears are half a table apart.
    """
    table = _triangular()
    first = ((seed * _SEED_STEP + seq) * _SCATTER & _WORD) >> _UNUSED_BITS
    half = table.strides[0] << _EAR_BITS
    shape = (AUDIO_CHANNELS, audio.frames_per_chunk)
    return np.ndarray(shape, table.dtype, table, first * table.strides[0], (half, table.strides[0]))


@cache
def _triangular() -> NDArray[np.float32]:
    """Twice ``2^_EAR_BITS`` samples, the first of them repeated behind for as long as a chunk is."""
    count = AUDIO_CHANNELS << _EAR_BITS
    draw = np.random.Generator(np.random.Philox(key=_DITHER_KEY))
    one, other = draw.random((2, count), dtype=np.float32)
    longest = max(AudioFormat(rate_hz).frames_per_chunk for rate_hz in SAMPLE_RATES_HZ)
    table = np.resize(one - other, count + longest)
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
