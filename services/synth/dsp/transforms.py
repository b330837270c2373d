"""Fourier transforms of real signals on their device: scipy's on the CPU, torch's on an accelerator.

Scipy's pocketfft takes as long as torch's MKL for four rows or more, and twice as long for two; on any
processor it gives a row the same bits among several rows as alone. A row's bits never depend on the others.
"""

from typing import Literal

from scipy import fft

from services.synth.dsp import arrays
from services.synth.dsp.arrays import Array


def forward(rows: Array) -> Array:
    """The spectra of ``rows``, float32, ``[row, sample]``: ``[row, bin]``, complex64."""
    if arrays.is_numpys(rows):
        return fft.rfft(rows)
    # MKL transforms a single row differently, with other bits; tests use torch on the CPU.
    several = rows if len(rows) > 1 else arrays.joined([rows, arrays.zeros(rows.shape, rows)])
    return arrays.lazy_torch().fft.rfft(several)[: len(rows)]


def inverse(spectra: Array, samples: int, norm: Literal["backward", "forward"] = "backward") -> Array:
    """The ``samples`` of each of ``spectra``, complex64, ``[..., bin]``; not scaled if ``forward``."""
    if arrays.is_numpys(spectra):
        return fft.irfft(spectra, samples, norm=norm)
    return arrays.lazy_torch().fft.irfft(spectra, samples, norm=norm)
