"""From the mix to 16-bit samples."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, AudioFormat

# The cubic has its maximum, 1, at this input.
_KNEE: Final = 1.5
_CEILING: Final = 0.89  # -1 dBFS
_FULL_SCALE: Final = 32767.0


def saturate(mix: torch.Tensor) -> torch.Tensor:
    """Soft clipping ``x - 4/27 x^3``: transparent at low level, never beyond -1 dBFS."""
    x = (mix / _CEILING).clamp(-_KNEE, _KNEE)
    return _CEILING * (x - (4 / 27) * x * x * x)


def crossfade(old: NDArray[np.float32], new: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """``old`` into ``new`` (``[frame, audio channel]``) over the first ``frames``; linearly."""
    fade_in = ((np.arange(frames, dtype=np.float32) + 0.5) / np.float32(frames))[:, None]
    mixed = new.copy()
    mixed[:frames] = old[:frames] * (1 - fade_in) + new[:frames] * fade_in
    return mixed


def dither(seed: int, seq: int, audio: AudioFormat) -> NDArray[np.float32]:
    """Triangular dither of ±1 LSB for chunk ``seq``: ``[frame, audio channel]``.

    Counter-based (Philox: Salmon et al. 2011), so a chunk has the same noise whoever renders it.
    """
    words = audio.frames_per_chunk * AUDIO_CHANNELS // 2
    counter = np.array([0, 0, seq, 0], dtype=np.uint64)
    raw = np.random.Philox(key=seed, counter=counter).random_raw(words)
    uniform = raw.view(np.uint16).astype(np.float32).reshape(2, -1) * np.float32(2.0**-16)
    noise: NDArray[np.float32] = uniform[0] - uniform[1]
    return noise.reshape(audio.frames_per_chunk, AUDIO_CHANNELS)


def to_pcm(samples: NDArray[np.float32], noise: NDArray[np.float32]) -> bytes:
    """Samples (±1) with ``noise`` (LSB) as interleaved 16-bit little-endian PCM."""
    scaled: NDArray[np.float32] = np.rint(samples * np.float32(_FULL_SCALE) + noise)
    return scaled.clip(-32768, 32767).astype("<i2").tobytes()
