"""A steady pad voice against Csound's, in one chord of many voices."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count, product
from typing import Final

import numpy as np

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.score.events import Note
from services.bench import csound
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, timed, waiting
from services.synth.dsp.arrays import Device
from services.synth.mix.cast import floor_db
from services.synth.mix.desk import Flat
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Copy, Envelope, Filter, Harmonics, Patch, Unison
from services.synth.voices.build import voice_of

# Csound's instrument as a patch: the first 64 partials of each saw.
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
_LENGTHS_S: Final = (4.0, 14.0)
_KSMPS: Final = (csound.DEFAULT_KSMPS, csound.FAST_KSMPS)
_UNIT: Final = "ns a voice-sample"
# Rendered at a time: as much music as Csound's long run has in excess of its short one.
_CHUNKS: Final = round((_LENGTHS_S[1] - _LENGTHS_S[0]) * CHUNKS_PER_SECOND)
_GOAL: Final = "3 x"


def pad_rows(rounds: int, device: Device, program: str | None) -> list[Row]:
    """Nanoseconds for one frame of one voice in stereo; Csound's without its start-up."""
    audio, wait = AudioFormat(), waiting(device)
    chunk = len(PITCHES) * audio.frames_per_chunk
    chords = {
        "pad voice: three saws, 192 partials": SAWS,
        "pad voice: warm_pad, with unison and breath": library()["warm_pad"],
    }
    measures = {name: timed(_several(patch, audio, device), wait) for name, patch in chords.items()}
    if program is None:
        found = interleaved(measures, rounds)
        ours = [Row(name, _UNIT, each.scaled(1e9 / chunk / _CHUNKS)) for name, each in found.items()]
        return [*ours, Row("pad voice: Csound", "csound is not installed", None)]
    for ksmps, length in product(_KSMPS, _LENGTHS_S):
        measures[f"{ksmps} {length}"] = _csound(program, length, audio, ksmps)
    found = interleaved(measures, rounds)
    peers = {ksmps: _without_start(found, ksmps, audio) for ksmps in _KSMPS}
    rows = [row for name in chords for row in _rows(name, found[name].scaled(1e9 / chunk / _CHUNKS), peers)]
    name = csound.version(program)
    return [*rows, *(Row(f"pad voice: {name}, ksmps {each}", _UNIT, peers[each]) for each in _KSMPS)]


def _without_start(found: Mapping[str, Samples], ksmps: int, audio: AudioFormat) -> Samples:
    """Csound's nanoseconds per voice-sample: its long run less its short one."""
    short, long = _LENGTHS_S
    frames = (long - short) * audio.sample_rate_hz * len(PITCHES)
    pairs = zip(found[f"{ksmps} {short}"].values, found[f"{ksmps} {long}"].values, strict=True)
    return Samples(tuple((late - early) / frames * 1e9 for early, late in pairs))


def _rows(name: str, ours: Samples, peers: Mapping[int, Samples]) -> Iterator[Row]:
    """Ours compared with Csound's default, to which the goal applies, and with its faster setting."""
    for ksmps, theirs in peers.items():
        goal = _GOAL if ksmps == csound.DEFAULT_KSMPS else ""
        yield Row(name, _UNIT, ours, f"Csound, ksmps {ksmps}", theirs.median / ours.median, goal)


def _several(patch: Patch, audio: AudioFormat, device: Device) -> Callable[[], object]:
    """A function that renders the next chunks of the chord at each call."""
    notes = [
        Note(0, number, audio.frames(_MUSIC_S), pitch, 0.6, "", "pad")
        for number, pitch in enumerate(PITCHES, 1)
    ]
    # Inaudible partials are left out, as in every channel.
    voices = [voice_of(note, patch, 1, audio, 0, floor_db(note)) for note in notes]
    renderer, seqs, curve = LayerRenderer(audio, device, Flat()), count(10 * _FROM_S), np.full(2, 0.5)

    def work() -> None:
        for _ in range(_CHUNKS):
            renderer.render([Sounding(1, audio.start_frame(next(seqs)), voices, curve, curve)])

    return work


def _csound(program: str, seconds: float, audio: AudioFormat, ksmps: int) -> Callable[[], float]:
    hertz = [440.0 * 2 ** ((pitch - 69) / 12) for pitch in PITCHES]
    return lambda: csound.render_s(program, hertz, seconds, audio.sample_rate_hz, ksmps)
