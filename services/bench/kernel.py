"""The kernel against other ways to sum sines: eager sine, eager wavetable."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, timed, waiting
from services.synth.dsp import additive, arrays, grid
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import upsample

PARTIALS: Final = 512
_TABLE: Final = 2048
_CALLS: Final = 8
_TURN: Final = 2 * np.pi

Work = Callable[[], torch.Tensor]


def kernel_rows(rounds: int, device: torch.device) -> list[Row]:
    """Nanoseconds for one frame of one partial in stereo, amplitudes and phases given."""
    audio = AudioFormat()
    works = contenders(audio, device)
    wait = waiting(device)
    found = interleaved(
        {name: timed(_several(work), wait) for name, work in works.items()}, rounds, warm_up=3
    )
    scale = 1e9 / PARTIALS / audio.frames_per_chunk / _CALLS
    each = {name: samples.scaled(scale) for name, samples in found.items()}
    return [_row(name, each) for name in works]


def _several(work: Work) -> Callable[[], object]:
    """Again and again: what the one before it did to memory and caches is no part of a measure."""
    return lambda: [work() for _ in range(_CALLS)]


def _row(name: str, each: dict[str, Samples]) -> Row:
    ours = name.startswith("kernel")
    against = "eager torch.sin" if ours else ""
    ratio = each["eager torch.sin"].median / each[name].median if ours else None
    return Row(name, "ns a partial-sample", each[name], against, ratio)


def contenders(audio: AudioFormat, device: torch.device) -> dict[str, Work]:
    """Each gives the same chunk of the same partials: ``[ear, frame]``."""
    draw = np.random.default_rng(1)
    freq_hz = draw.uniform(60, 3000, PARTIALS)
    phase = draw.random(PARTIALS)
    stereo = draw.random((PARTIALS, AUDIO_CHANNELS)).astype(np.float32) / PARTIALS
    return {
        "kernel, coarse grid, upsampled": _product(grid.coarse(audio), freq_hz, phase, stereo, device),
        "kernel, middle grid, upsampled": _product(grid.middle(audio), freq_hz, phase, stereo, device),
        "kernel, full grid": _product(grid.full(audio), freq_hz, phase, stereo, device),
        "eager torch.sin": _sine(audio, freq_hz, phase, stereo, device),
        "eager wavetable, linear": _wavetable(audio, freq_hz, phase, stereo, device),
    }


def _product(
    on: Grid, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: torch.device
) -> Work:
    blocks = on.steady
    bases = arrays.on(device, additive.basis(freq_hz, blocks).reshape(additive.PARTS * PARTIALS, -1))
    turned = arrays.on(device, additive.point_phasors(freq_hz, blocks))
    # The phase of a sine.
    start = arrays.phasors(arrays.on(device, (phase - 0.25).astype(np.float32)))
    gains = arrays.on(device, np.concatenate([stereo.T] * additive.ENDS))

    def work() -> torch.Tensor:
        left = additive.steady_factor(turned, gains * start)
        sums = additive.sums(left, [(0, PARTIALS, bases)])
        return arrays.tensor(upsample(additive.joined(sums, blocks), on))

    return work


def _phases(audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, device: torch.device) -> Work:
    """Turns at every frame, from what a step and a beginning give: ``[partial, frame]``."""
    step = torch.from_numpy((freq_hz / audio.sample_rate_hz).astype(np.float32)).to(device)[:, None]
    start = torch.from_numpy(phase.astype(np.float32)).to(device)[:, None]
    frames = torch.arange(audio.frames_per_chunk, device=device, dtype=torch.float32)
    return lambda: step * frames + start


def _sine(
    audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: torch.device
) -> Work:
    phases, gains = _phases(audio, freq_hz, phase, device), torch.from_numpy(stereo.T.copy()).to(device)
    return lambda: gains @ torch.sin(phases() * _TURN)


def _wavetable(
    audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: torch.device
) -> Work:
    phases, gains = _phases(audio, freq_hz, phase, device), torch.from_numpy(stereo.T.copy()).to(device)
    table = torch.sin(torch.arange(_TABLE + 1, device=device) * (_TURN / _TABLE))

    def work() -> torch.Tensor:
        at = (phases() % 1.0) * _TABLE
        index = at.long()
        below = table[index]
        return gains @ (below + (table[index + 1] - below) * (at - index))

    return work
