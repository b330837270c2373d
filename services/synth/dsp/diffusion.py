"""Short bursts of noise with a flat spectrum: they smear an echo in time and keep its timbre."""

from typing import Final

import numpy as np

from services.synth.dsp.arrays import Float64Array

# Plain noise of 4 ms has dips of 25 dB, different in every echo; ten rounds leave a ripple of 0.4 dB (rms).
_ROUNDS: Final = 10
_PADDING: Final = 8


def burst(random: np.random.Generator, frames: int) -> Float64Array:
    """Noise of ``frames`` (2 or more) and unit energy: loudest at its start, equally loud at every frequency.

    Alternates between two constraints, as Gerchberg and Saxton (1972) do: nothing outside ``frames``, the
    same magnitude in every bin.
    """
    noise = random.standard_normal(frames) * np.linspace(1.0, 0.0, frames, endpoint=False)
    for _ in range(_ROUNDS):
        spectrum = np.fft.rfft(noise, _PADDING * frames)
        noise = np.fft.irfft(spectrum / np.abs(spectrum), _PADDING * frames)[:frames]
    unit: Float64Array = noise / np.sqrt(np.sum(noise**2))
    return unit
