"""The mix before it is made 16 bit: aliasing, sums, silence."""

import numpy as np
import torch
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from services.synth import mixer
from services.synth.dsp.grid import Grid
from services.synth.patch import PATCHES
from services.synth.voice import build_voice
from tests.unit.synth.scores import note

GRID = Grid(AudioFormat())
CPU = torch.device("cpu")
CHUNKS = range(30, 60)


def sounding(pitches: list[float], seq: int) -> mixer.Sounding:
    """Pads at full brightness in chunk ``seq``."""
    notes = [note(i, 0.0, pitch, seconds=20) for i, pitch in enumerate(pitches)]
    voices = [build_voice(n, PATCHES[n.patch], 1, GRID) for n in notes]
    return mixer.Sounding(seq * 4410, voices, np.full(GRID.blocks + 1, 1.0))


def mixed(pitches: list[float]) -> NDArray[np.float64]:
    """Three seconds, ``[frame, channel]``."""
    parts = [sounding(pitches, seq) for seq in CHUNKS]
    return mixer.mix(parts, GRID, CPU).reshape(-1, 2).double().numpy()


def test_a_high_note_does_not_alias() -> None:
    """A 7 kHz note has nothing over -90 dB of its peak but its own harmonics."""
    x = mixed([69 + 12 * np.log2(7000 / 440)])[:, 0]
    spectrum = np.abs(np.fft.rfft(x * np.blackman(len(x))))
    freqs = np.fft.rfftfreq(len(x), 1 / 44_100)
    harmonic = np.min([np.abs(freqs - 7000 * n) for n in (1, 2, 3)], axis=0) < 150
    assert 20 * np.log10(spectrum[~harmonic].max() / spectrum.max()) < -90


def test_voices_add() -> None:
    """The mix of two notes is the sum of their mixes within float32's rounding."""
    both, first = mixed([60, 67]), mixed([60])
    second = mixer.mix(
        [
            mixer.Sounding(part.start_frame, part.voices[1:], part.brightness)
            for part in (sounding([60, 67], seq) for seq in CHUNKS)
        ],
        GRID,
        CPU,
    )
    assert np.abs(both - first - second.reshape(-1, 2).double().numpy()).max() < 1e-6


def test_no_voices_are_silence() -> None:
    """A part without voices is exactly silent, between others that sound."""
    silent = mixer.Sounding(0, [], np.zeros(GRID.blocks + 1))
    mix = mixer.mix([sounding([60], 30), silent, sounding([60], 30)], GRID, CPU)
    assert mix[1].abs().max() == 0
    assert torch.equal(mix[0], mix[2])
    assert mix[0].abs().max() > 0
