"""Measures patches on a fixed phrase each, and brings them to one loudness.

Every patch plays the phrase of its family at intensity 0.5, dry and without the desk; ``trim_db`` takes it
to -23 LUFS at the mean of several seeds, since chance (phases that beat) makes a phrase of some patches up to
2.5 LU louder or quieter. So the desk's levels mean the same for every patch::

    python examples/calibrate.py [--write] [NAME ...]
"""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat
from auralis.score.events import Note
from services.synth import automation
from services.synth.dsp.arrays import CPU
from services.synth.mix.desk import Flat
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.sounding import Sounding
from services.synth.patches import library as patches
from services.synth.patches.schema import Patch
from services.synth.voices.build import parts_of, voice_of
from services.synth.voices.voice import Voice

Audio = NDArray[np.float32]

TARGET_LUFS: Final = -23.0
SEED: Final = 7
_SEEDS: Final = range(1, 9)
_FOLDER: Final = Path(patches.__file__).parent
_SUSTAINED: Final = {"pad", "texture"}
_MIDDLE_STEPS: Final = (-8, -1, 3, 8)  # a chord around the middle of the range, or a line
_TEXTURE_STEPS: Final = (0,)
_BATCH: Final = 20  # chunks that are rendered at once
_HELD_S: Final = 10.0
_LINE_S: Final = 2.5
_STRUCK_S: Final = 0.8
_STROKE_S: Final = 1.0
_STRUCK_STEPS: Final = (-5, 0, 4, -3, 2, 7, -1, 5, 0, -8, 3, 9)


class Stroke(NamedTuple):
    """A note of a phrase, in semitones from the middle of the patch's range."""

    at_s: float
    semitones: float
    gate_s: float


def phrase(patch: Patch) -> list[Stroke]:
    """What a patch of this family is measured with."""
    if patch.family in _SUSTAINED:
        steps = _MIDDLE_STEPS if patch.family == "pad" else _TEXTURE_STEPS
        return [Stroke(0.0, step, _risen_s(patch) + _HELD_S) for step in steps]
    if patch.family in {"lead", "bass"}:
        each_s = max(_LINE_S, patch.envelope.attack_s)
        return [Stroke(each_s * i, step, each_s) for i, step in enumerate((0, 4, 7, 2))]
    if patch.family == "percussion":
        return [Stroke(_STROKE_S * i, 0, 0.1) for i in range(10)]
    return [Stroke(_STRUCK_S * i, step, 0.7) for i, step in enumerate(_STRUCK_STEPS)]


def _risen_s(patch: Patch) -> float:
    """When a phrase is loud enough to be measured: weather rises for longer than a phrase lasts."""
    return patch.envelope.attack_s if patch.family == "texture" else 0.0


def notes_of(name: str, patch: Patch, strokes: list[Stroke], audio: AudioFormat) -> list[Note]:
    """The strokes as notes."""
    middle = (patch.low + patch.high) // 2
    return [
        Note(
            at_frame=audio.frames(stroke.at_s),
            id=index + 1,
            duration_frames=audio.frames(stroke.gate_s),
            pitch=float(middle + stroke.semitones),
            velocity=0.6,
            patch=name,
            layer="pad",
        )
        for index, stroke in enumerate(strokes)
    ]


def voices(patch: Patch, notes: list[Note], audio: AudioFormat, seed: int = SEED) -> list[Voice]:
    """Everything that the notes need."""
    return [
        voice_of(note, patch, seed, audio, part)
        for note in notes
        for part in parts_of(note, patch, audio, note.at_frame, note.release_frame)
    ]


def rendered(playing: list[Voice], chunks: range, audio: AudioFormat, intensity: float = 0.5) -> Audio:
    """``[ear, frame]`` of these chunks, dry, without the desk."""
    renderer = LayerRenderer(audio, CPU, Flat())
    parts = [_sounding(playing, seq, audio, intensity) for seq in chunks]
    silence = np.zeros((AUDIO_CHANNELS, audio.frames_per_chunk), dtype=np.float32)
    batches = [parts[first : first + _BATCH] for first in range(0, len(parts), _BATCH)]
    heard = [each for batch in batches for each in renderer.render(batch)]
    return np.concatenate([silence if each is None else each for each in heard], axis=1)


def _sounding(playing: list[Voice], seq: int, audio: AudioFormat, intensity: float) -> Sounding:
    start, end = audio.start_frame(seq), audio.end_frame(seq)
    sounding = [v for v in playing if v.timing.silent > start and v.timing.at < end]
    curve = np.full(2, intensity)
    return Sounding(SEED, start, sounding, automation.brightness(curve), curve)


def played(
    name: str, audio: AudioFormat, *, intensity: float = 0.5, semitones: float = 0.0, seed: int = SEED
) -> Audio:
    """The phrase, transposed by ``semitones``, until the last gate closes; of weather once it has risen."""
    patch = patches.library()[name]
    strokes = [stroke._replace(semitones=stroke.semitones + semitones) for stroke in phrase(patch)]
    playing = voices(patch, notes_of(name, patch, strokes, audio), audio, seed)
    ends_s = strokes[-1].at_s + strokes[-1].gate_s
    chunks = (round(at_s * CHUNKS_PER_SECOND) for at_s in (_risen_s(patch), ends_s))
    return rendered(playing, range(*chunks), audio, intensity)


def loudness_lufs(name: str, audio: AudioFormat, seeds: Iterable[int] = _SEEDS) -> float:
    """The integrated loudness of the patch's phrase, at the mean of ``seeds``."""
    meter = pyloudnorm.Meter(audio.sample_rate_hz)
    phrases = [played(name, audio, seed=seed) for seed in seeds]
    return float(np.mean([meter.integrated_loudness(each.T.astype(np.float64)) for each in phrases]))


def written(text: str, trim_db: float) -> str:
    """The patch's file with another ``trim_db``, everything else as it stands."""
    if '"trim_db"' in text:
        return re.sub(r'("trim_db":\s*)-?[\d.]+', rf"\g<1>{trim_db:g}", text)
    return re.sub(r'("level_db":\s*-?[\d.]+,)', rf'\1\n "trim_db": {trim_db:g},', text, count=1)


def patch_name(text: str) -> str:
    """``text``, if it names a patch: the type of such an argument."""
    if text not in patches.library():
        raise argparse.ArgumentTypeError(f"found {text!r}, allowed: {', '.join(patches.library())}")
    return text


def main() -> None:
    """Print, and with ``--write`` edit, the trims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", type=patch_name, metavar="NAME", help="all patches if none is named"
    )
    parser.add_argument("--write", action="store_true", help="write trim_db into the patches' files")
    arguments = parser.parse_args()
    library, audio = patches.library(), AudioFormat()
    for name in arguments.names or library:
        now_db, loudness = library[name].trim_db, loudness_lufs(name, audio)
        trim_db = round(now_db + TARGET_LUFS - loudness, 1)
        print(f"{name:16} {loudness:7.2f} LUFS  trim_db {now_db:6.1f} -> {trim_db:6.1f}", flush=True)
        if arguments.write:
            path = _FOLDER / f"{name}.json"
            path.write_text(written(path.read_text(), trim_db))


if __name__ == "__main__":
    main()
