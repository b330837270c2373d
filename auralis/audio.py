"""The audio format of a channel and the arithmetic between frames, chunks and time.

A *frame* is one sample for each audio channel. A *chunk* is 100 ms of audio that travels as one unit;
chunk ``seq`` holds the frames ``[seq * F, (seq + 1) * F)`` with ``F = sample_rate / 10``.
"""

from dataclasses import dataclass
from typing import Final

from auralis.errors import InvalidValue

CHUNK_US: Final = 100_000
CHUNKS_PER_SECOND: Final = 10
AUDIO_CHANNELS: Final = 2
BYTES_PER_SAMPLE: Final = 2
SAMPLE_RATES_HZ: Final = (44_100, 48_000)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Interleaved 16-bit little-endian stereo PCM at ``sample_rate_hz``."""

    sample_rate_hz: int = 44_100

    def __post_init__(self) -> None:
        if self.sample_rate_hz not in SAMPLE_RATES_HZ:
            raise InvalidValue("sample_rate", self.sample_rate_hz, "44100 or 48000")

    @property
    def frames_per_chunk(self) -> int:
        """Frames in one chunk: 4410 or 4800."""
        return self.sample_rate_hz // CHUNKS_PER_SECOND

    @property
    def bytes_per_chunk(self) -> int:
        """Bytes of PCM in one chunk."""
        return self.frames_per_chunk * AUDIO_CHANNELS * BYTES_PER_SAMPLE

    def frames(self, seconds: float) -> int:
        """Convert seconds to frames, rounded to the nearest."""
        return round(seconds * self.sample_rate_hz)

    def seconds(self, frames: int) -> float:
        """Convert frames to seconds."""
        return frames / self.sample_rate_hz

    def start_frame(self, seq: int) -> int:
        """The first frame of chunk ``seq``."""
        return seq * self.frames_per_chunk

    def end_frame(self, seq: int) -> int:
        """The first frame after chunk ``seq``."""
        return (seq + 1) * self.frames_per_chunk

    def seq_at(self, frame: int) -> int:
        """The chunk that holds ``frame``."""
        return frame // self.frames_per_chunk


def due_us(epoch_us: int, seq: int) -> int:
    """When chunk ``seq`` leaves the gateway, in µs of the broker's clock."""
    return epoch_us + seq * CHUNK_US


def live_seq(epoch_us: int, now_us: int) -> int:
    """The chunk that is due at or just before ``now_us``."""
    return (now_us - epoch_us) // CHUNK_US


def first_seq_due_after(epoch_us: int, at_us: int) -> int:
    """The first chunk that is due at ``at_us`` or later."""
    return -((epoch_us - at_us) // CHUNK_US)
