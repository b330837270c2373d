"""Loudness as ITU-R BS.1770-4 and EBU Tech 3341/3342 define it, chunk by chunk as a piece is rendered.

A chunk is 100 ms: the hop of the gated blocks (400 ms, overlapping by three quarters) and of
short-term loudness (3 s). So only each chunk's power is kept, however long the piece.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat

Curve = NDArray[np.float64]

_FULL_SCALE: Final = 32768.0
_BLOCK: Final = 4
_SHORT_TERM: Final = 3 * CHUNKS_PER_SECOND
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_RANGE_GATE_LU: Final = -20.0
_SILENCE: Final = 1e-12  # -120 dB


class LoudnessMeter:
    """Measures a piece, given its chunks in order."""

    def __init__(self, audio: AudioFormat) -> None:
        from scipy.signal import sosfilt  # noqa: PLC0415  takes a second to load, only for a report

        self._filtered = sosfilt
        self._sections = k_weighting(audio.sample_rate_hz)
        self._state = np.zeros((2, AUDIO_CHANNELS, 2))
        self._powers: list[float] = []
        self._peak = 0.0

    def add(self, pcm: bytes) -> None:
        """Measure one chunk: interleaved 16-bit little-endian stereo."""
        ears = np.frombuffer(pcm, "<i2").reshape(-1, AUDIO_CHANNELS).T / _FULL_SCALE
        heard, self._state = self._filtered(self._sections, ears, axis=1, zi=self._state)
        self._powers.append(float((heard**2).mean(axis=1).sum()))
        self._peak = max(self._peak, float(np.abs(ears).max()))

    @property
    def peak_dbfs(self) -> float:
        """The level of the largest sample."""
        return 20 * float(np.log10(max(self._peak, 1e-6)))

    @property
    def integrated_lufs(self) -> float:
        """Integrated loudness of the piece, without its pauses; minus infinity if it is all silence."""
        blocks = self._mean_powers(_BLOCK)
        loud = blocks[_lufs(blocks) >= _ABSOLUTE_GATE_LUFS]
        if not loud.size:
            return -np.inf
        gate = _lufs(loud.mean()) + _RELATIVE_GATE_LU
        return float(_lufs(loud[_lufs(loud) >= gate].mean()))

    @property
    def range_lu(self) -> float:
        """From the 10th to the 95th percentile of short-term loudness; 0 for silence or a piece under 3 s."""
        levels = self.short_term_lufs
        levels = levels[levels >= _ABSOLUTE_GATE_LUFS]
        if not levels.size:
            return 0.0
        gate = 10 * np.log10(np.mean(10 ** (levels / 10))) + _RANGE_GATE_LU
        low, high = np.percentile(levels[levels >= gate], [10, 95])
        return float(high - low)

    @property
    def short_term_lufs(self) -> Curve:
        """Loudness of the 3 s that end with each chunk, from the 30th on."""
        return _lufs(self._mean_powers(_SHORT_TERM))

    def _mean_powers(self, chunks: int) -> Curve:
        """The mean power of every run of ``chunks`` chunks."""
        sums = np.concatenate([[0.0], np.cumsum(self._powers)])
        return np.asarray((sums[chunks:] - sums[:-chunks]) / chunks, dtype=np.float64)


def k_weighting(rate_hz: int) -> Curve:
    """The two filters of BS.1770 as second-order sections, for any sample rate.

    The standard gives coefficients for 48 kHz; these are B. De Man's formulas for the analogue filters behind
    them.
    """
    gain = 10 ** (3.999843853973347 / 20)
    mid = gain**0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    shelf = [gain + mid * k / q + k * k, 2 * (k * k - gain), gain - mid * k / q + k * k, *_poles(k, q)]
    shelf[:3] = [each / (1 + k / q + k * k) for each in shelf[:3]]
    k, q = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    return np.array([shelf, [1, -2, 1, *_poles(k, q)]])


def _poles(k: float, q: float) -> list[float]:
    head = 1 + k / q + k * k
    return [1, 2 * (k * k - 1) / head, (1 - k / q + k * k) / head]


def _lufs(power: Curve | np.float64) -> Curve:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, _SILENCE)), dtype=np.float64)
