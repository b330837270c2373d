"""The kernel against other ways to sum sines: eager sine, eager wavetable."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from auralis.audio import AUDIO_CHANNELS, AudioFormat
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, timed, waiting
from services.synth.dsp import additive, arrays, grid, steady
from services.synth.dsp.arrays import Device
from services.synth.dsp.grid import Grid
from services.synth.dsp.upsampling import upsample

PARTIALS: Final = 512
_TABLE: Final = 2048
_CALLS: Final = 8
_TURN: Final = 2 * np.pi

Work = Callable[[], arrays.Array]


def kernel_rows(rounds: int, device: Device) -> list[Row]:
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
    """Repeat the work, so that what the previous contender left in memory and caches hardly counts."""
    return lambda: [work() for _ in range(_CALLS)]


def _row(name: str, each: dict[str, Samples]) -> Row:
    ours = name.startswith("kernel")
    against = "eager torch.sin" if ours else ""
    ratio = each["eager torch.sin"].median / each[name].median if ours else None
    return Row(name, "ns a partial-sample", each[name], against, ratio)


def contenders(audio: AudioFormat, device: Device) -> dict[str, Work]:
    """The contenders, each of which returns the same chunk of the same partials: ``[ear, frame]``."""
    draw = np.random.default_rng(1)
    freq_hz = draw.uniform(60, 3000, PARTIALS)
    phase = draw.random(PARTIALS)
    stereo = draw.random((PARTIALS, AUDIO_CHANNELS)).astype(np.float32) / PARTIALS
    given = freq_hz, phase, stereo, device
    full, middle, coarse = grid.grids(audio)
    return {
        "kernel, steady, coarse grid": _spectrum(coarse, *given),
        "kernel, steady, full grid": _spectrum(full, *given),
        "kernel, lively, coarse grid": _product(coarse, *given),
        "kernel, lively, middle grid": _product(middle, *given),
        "kernel, lively, full grid": _product(full, *given),
        "eager torch.sin": _sine(audio, *given),
        "eager wavetable, linear": _wavetable(audio, *given),
    }


def _started(phase: np.ndarray, device: Device) -> arrays.Array:
    """The phasors with which sines of these phases start."""
    return arrays.phasors(arrays.on(device, (phase - 0.25).astype(np.float32)))


def _spectrum(on: Grid, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: Device) -> Work:
    audio = on.audio
    highest_hz = on.high * audio.sample_rate_hz - 1 if on.divisor > 1 else on.low * audio.sample_rate_hz
    into = steady.spectrum([steady.spread(freq_hz, audio)], highest_hz, audio, device)
    start = _started(phase + freq_hz * audio.seconds(steady.centre(audio)), device)
    level = arrays.single(device, np.ones(PARTIALS))
    mixing = arrays.single(device, np.repeat(stereo, additive.PARTS, axis=1))

    def work() -> arrays.Array:
        peaks = steady.peaks(level, level, start, audio)
        return upsample(steady.samples(steady.bins(peaks, mixing, into), on), on)

    return work


def _product(on: Grid, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: Device) -> Work:
    waves = additive.waves(freq_hz, on.blocks)
    bases = arrays.on(device, waves.bases.reshape(additive.PARTS * PARTIALS, -1))
    turned, start = arrays.on(device, waves.phasors), _started(phase, device)
    level = arrays.single(device, np.ones((len(on.blocks.frames), PARTIALS)))
    gains = arrays.single(device, stereo.T)

    def work() -> arrays.Array:
        sums = additive.sums(additive.factor(turned * start, level, gains), [(0, PARTIALS, bases)])
        return upsample(additive.joined(sums, on.blocks), on)

    return work


def _phases(audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, device: Device) -> Work:
    """A function that computes phases in turns at every frame, from step and start: ``[partial, frame]``."""
    step = torch.from_numpy((freq_hz / audio.sample_rate_hz).astype(np.float32)).to(device)[:, None]
    start = torch.from_numpy(phase.astype(np.float32)).to(device)[:, None]
    frames = torch.arange(audio.frames_per_chunk, device=device, dtype=torch.float32)
    return lambda: step * frames + start


def _sine(
    audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: Device
) -> Work:
    phases, gains = _phases(audio, freq_hz, phase, device), torch.from_numpy(stereo.T.copy()).to(device)
    return lambda: gains @ torch.sin(phases() * _TURN)


def _wavetable(
    audio: AudioFormat, freq_hz: np.ndarray, phase: np.ndarray, stereo: np.ndarray, device: Device
) -> Work:
    phases, gains = _phases(audio, freq_hz, phase, device), torch.from_numpy(stereo.T.copy()).to(device)
    table = torch.sin(torch.arange(_TABLE + 1, device=device) * (_TURN / _TABLE))

    def work() -> arrays.Array:
        at = (phases() % 1.0) * _TABLE
        index = at.long()
        below = table[index]
        return gains @ (below + (table[index + 1] - below) * (at - index))

    return work
