"""Covers holes: where chunks are missing, the last second of audio is repeated, without a click.

Plain integers and no numpy: a hole is rare, a crossfade lasts 20 ms, and the gateway stays small. PCM is
16-bit little-endian interleaved stereo.
"""

import sys
from array import array
from collections import deque
from typing import Final

from auralis.audio import AUDIO_CHANNELS, BYTES_PER_SAMPLE
from auralis.timing import SEAM_MS

COVER_CHUNKS: Final = 10
_CHUNK_MS: Final = 100


def seam_after(last: bytes | memoryview, payload: bytes | memoryview) -> bytes:
    """``payload`` with its first 20 ms crossfaded from a continuation of ``last``.

    Nothing follows ``last``, so its end is played backwards: that continues it without a step, and sounds
    like what was just heard.
    """
    new, old = _samples(payload), _samples(last)
    frames = min(len(new), len(old)) // AUDIO_CHANNELS
    seam = min(frames, len(new) // AUDIO_CHANNELS * SEAM_MS // _CHUNK_MS)
    for frame in range(seam):
        weight = (2 * frame + 1) / (2 * seam)
        for channel in range(AUDIO_CHANNELS):
            i = frame * AUDIO_CHANNELS + channel
            continued = old[len(old) - (frame + 1) * AUDIO_CHANNELS + channel]
            new[i] = round(continued + (new[i] - continued) * weight)
    return _bytes(new)


class HoleCover:
    """Remembers the audio that was sent and repeats it to cover holes."""

    def __init__(self) -> None:
        self._recent: deque[bytes | memoryview] = deque(maxlen=COVER_CHUNKS)
        self._last: bytes | memoryview = b""
        self._covered = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to repeat yet."""
        return not self._recent

    def remember(self, payload: bytes | memoryview) -> None:
        """Remember ``payload``, which came from the ring and was sent."""
        if self._covered:
            self._recent.clear()
            self._covered = 0
        self._recent.append(payload)
        self._last = payload

    def cover(self) -> bytes | memoryview:
        """The chunk to send in place of a missing one: the last second in a loop, joined by crossfades."""
        turn = self._covered % len(self._recent)
        source = self._recent[turn]
        self._last = seam_after(self._last, source) if turn == 0 else source
        self._covered += 1
        return self._last

    def joined(self, payload: bytes | memoryview) -> bytes:
        """``payload`` crossfaded from a continuation of what was sent last."""
        return seam_after(self._last, payload)


def _samples(payload: bytes | memoryview) -> "array[int]":
    samples = array("h")
    whole = len(payload) - len(payload) % BYTES_PER_SAMPLE
    samples.frombytes(payload[:whole])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bytes(samples: "array[int]") -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
