"""How much a sound moves: the levels of its bands over time. Audio is ``[ear, frame]``."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from tests.gates.measures import Audio

_FRAME = 4096
_LOWEST, _HIGHEST = 3, 38  # ERB numbers: 90 Hz to 13 kHz
_FLOOR = 1e-4  # bands 40 dB below the loudest one are left out


def band_levels_db(audio: Audio, rate_hz: int) -> NDArray[np.float64]:
    """Levels of ERB-wide bands within 40 dB of the loudest one, every half second: ``[band, time]``."""
    freq_hz, _, spectra = signal.stft(audio, rate_hz, nperseg=_FRAME, noverlap=_FRAME // 2, axis=1)
    power = (np.abs(spectra[..., 2:-2]) ** 2).sum(axis=0)
    number = (21.4 * np.log10(1 + 0.00437 * freq_hz)).astype(int)
    bands = np.stack(
        [power[number == n].sum(axis=0) for n in range(_LOWEST, _HIGHEST) if np.any(number == n)]
    )
    each = rate_hz // _FRAME
    times = bands.shape[1] // each
    means = bands[:, : times * each].reshape(len(bands), times, each).mean(axis=2)
    mean = means.mean(axis=1)
    return np.asarray(10 * np.log10(means[mean > _FLOOR * mean.max()]))


def movement_db(audio: Audio, rate_hz: int) -> float:
    """The mean standard deviation of the bands' levels over time: 0 for tones, below 0.4 for steady noise."""
    return float(band_levels_db(audio, rate_hz).std(axis=1).mean())
