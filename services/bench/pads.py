"""A pad's voice against Csound's: steady, in one chord of many voices."""

from collections.abc import Callable
from itertools import count
from typing import Final

import numpy as np
import torch

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.bench import csound
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, timed, waiting
from services.synth.mix.cast import floor_db
from services.synth.mix.desk import Flat
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Copy, Envelope, Filter, Harmonics, Patch, Unison
from services.synth.voices.build import voice_of

# What Csound's instrument plays, as a patch: of each saw the first 64 partials.
SAWS: Final = Patch(
    description="Three saws through a low-pass.",
    family="pad",
    level_db=-24,
    low=36,
    high=84,
    partials=Harmonics(count=64),
    unison=Unison(copies=(Copy(cents=-8), Copy(), Copy(cents=8))),
    filter=Filter(cutoff_hz=1231, motion_octaves=0.35, motion_hz=0.07),
    envelope=Envelope(attack_s=3, release_s=1),
)
PITCHES: Final = tuple(45.0 + 2 * step for step in range(16))
_FROM_S: Final = 10
_MUSIC_S: Final = 600
_SHORT_S, _LONG_S = 4.0, 24.0
_CHUNKS: Final = 20  # rendered at a time
_GOAL: Final = "3 x"


def pad_rows(rounds: int, device: torch.device, program: str | None) -> list[Row]:
    """Nanoseconds for one frame of one voice in stereo; Csound's without its start."""
    audio, wait = AudioFormat(), waiting(device)
    chunk = len(PITCHES) * audio.frames_per_chunk
    chords = {
        "pad voice: three saws, 192 partials": SAWS,
        "pad voice: warm_pad, with unison and breath": library()["warm_pad"],
    }
    several = {name: _several(patch, audio, device) for name, patch in chords.items()}
    measures = {name: timed(work, wait) for name, work in several.items()}
    if program is None:
        found = interleaved(measures, rounds)
        return [*_rows(found, chunk, None), Row("pad voice: Csound", "csound is not installed", None)]
    measures |= {f"{seconds}": _csound(program, seconds, audio) for seconds in (_SHORT_S, _LONG_S)}
    found = interleaved(measures, rounds)
    short, long = found.pop(f"{_SHORT_S}"), found.pop(f"{_LONG_S}")
    frames = (_LONG_S - _SHORT_S) * audio.sample_rate_hz * len(PITCHES)
    pairs = zip(short.values, long.values, strict=True)
    theirs = Samples(tuple((late - early) / frames * 1e9 for early, late in pairs))
    peer = Row(f"pad voice: {csound.version(program)}", "ns a voice-sample", theirs)
    return [*_rows(found, chunk, theirs), peer]


def _several(patch: Patch, audio: AudioFormat, device: torch.device) -> Callable[[], object]:
    """What renders the next chunks of the chord at each call."""
    notes = [
        Note(0, number, audio.frames(_MUSIC_S), pitch, 0.6, "", "pad")
        for number, pitch in enumerate(PITCHES, 1)
    ]
    # What can't be heard is left out, as in every channel.
    voices = [voice_of(note, patch, 1, audio, 0, floor_db(note)) for note in notes]
    renderer, seqs, curve = LayerRenderer(audio, device, Flat()), count(10 * _FROM_S), np.full(2, 0.5)

    def work() -> None:
        for _ in range(_CHUNKS):
            renderer.render([Sounding(1, audio.start_frame(next(seqs)), voices, curve, curve)])

    return work


def _csound(program: str, seconds: float, audio: AudioFormat) -> Callable[[], float]:
    hertz = [440.0 * 2 ** ((pitch - 69) / 12) for pitch in PITCHES]
    return lambda: csound.render_s(program, hertz, seconds, audio.sample_rate_hz)


def _rows(found: dict[str, Samples], chunk: int, theirs: Samples | None) -> list[Row]:
    rows = []
    for name, samples in found.items():
        each = samples.scaled(1e9 / chunk / _CHUNKS)
        ratio = theirs.median / each.median if theirs else None
        rows.append(Row(name, "ns a voice-sample", each, "Csound" if theirs else "", ratio, _GOAL))
    return rows
