"""Fourier transforms of real signals, where they lie: scipy's on the CPU, torch's on an accelerator.

Scipy's (pocketfft) takes the time of torch's MKL for four rows or more, and twice as much for two; it takes
several rows at once without other bits, whatever processor it is on. A row's bits never depend on the others.
"""

from typing import Literal

from scipy import fft

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array


def forward(rows: Array) -> Array:
    """The spectra of ``rows``, float32, ``[row, sample]``: ``[row, bin]``, complex64."""
    if arrays.is_numpys(rows):
        return fft.rfft(rows)
    # A single row MKL transforms in another way, with other bits; and torch on the CPU is what tests use.
    several = rows if len(rows) > 1 else arrays.joined([rows, arrays.zeros(rows.shape, rows)])
    return arrays.lazy_torch().fft.rfft(several)[: len(rows)]


def inverse(spectra: Array, samples: int, norm: Literal["backward", "forward"] = "backward") -> Array:
    """``samples`` of each of ``spectra``, complex64, ``[..., bin]``; ``forward`` divides them by nothing."""
    if arrays.is_numpys(spectra):
        return fft.irfft(spectra, samples, norm=norm)
    return arrays.lazy_torch().fft.irfft(spectra, samples, norm=norm)
