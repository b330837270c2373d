"""Writes the tables of docs/patches.md: every patch as it measures, every parameter as the schema has it.

::

    python examples/patch_page.py
"""

import argparse
import inspect
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, get_args

import numpy as np

# Started as a script, the path has this folder only.
sys.path.insert(0, str(Path(__file__).parents[1]))

from auralis.audio import AudioFormat
from examples import calibrate
from services.synth.patches.library import library
from services.synth.patches.parameters import Parameter, parameters, parts
from services.synth.patches.schema import Family, Patch
from tests.gates import measures
from tests.gates.movement import movement_db

PAGE: Final = Path(__file__).parents[1] / "docs" / "patches.md"
FAMILIES: Final[tuple[str, ...]] = get_args(Family)
# What chance adds to one of them is up to 2.5 LU.
_SEEDS: Final = (1, 2, 3)
_HELD: Final = {"pad", "bass", "lead", "texture"}
_UNPITCHED: Final = {"texture", "percussion"}
_REGISTER: Final = ("lowest", "low", "middle", "high", "highest")
_AUDIO: Final = AudioFormat()
_RATE_HZ: Final = _AUDIO.sample_rate_hz
_NAMES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def pitch_name(pitch: int) -> str:
    """MIDI 60 is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def partials(name: str, patch: Patch) -> int:
    """Partials of a note in the middle of the range; of grains, those of a second."""
    notes = calibrate.notes_of(name, patch, [calibrate.Stroke(0.0, 0.0, 4.0)], _AUDIO)
    counts = [len(voice.rows) for voice in calibrate.voices(patch, notes, _AUDIO)]
    return counts[0] if patch.grains is None else round(sum(counts) / len(counts))


class Measured(NamedTuple):
    """The figures of a phrase; ``correlation`` of left and right is -1 to 1."""

    lufs: float
    centroid_hz: float
    correlation: float


@cache
def measured(name: str, intensity: float = 0.5) -> Measured:
    """The patch's phrase at an intensity of 0 to 1: the mean of several seeds."""
    phrases = [calibrate.played(name, _AUDIO, intensity=intensity, seed=seed) for seed in _SEEDS]
    each = [
        Measured(
            measures.integrated_lufs(phrase, _RATE_HZ),
            measures.power_centroid_hz(phrase, _RATE_HZ),
            measures.stereo_correlation(phrase),
        )
        for phrase in phrases
    ]
    return Measured(*(float(np.mean(values)) for values in zip(*each, strict=True)))


def figures(name: str, patch: Patch) -> list[str]:
    """Loudness and power centroid at three intensities, movement and correlation of the phrase."""
    found = [measured(name, intensity) for intensity in (0.0, 0.5, 1.0)]
    lufs = " / ".join(f"{each.lufs:.1f}" for each in found)
    centroid = " / ".join(f"{each.centroid_hz:.0f}" for each in found)
    return [lufs, centroid, movement(name, patch), f"{found[1].correlation:.2f}"]


def movement(name: str, patch: Patch) -> str:
    """Of seven seconds of a held note."""
    if patch.family not in _HELD:
        return "–"
    start = round(15 * patch.envelope.attack_s)
    notes = calibrate.notes_of(name, patch, [calibrate.Stroke(0.0, 0.0, 17.0)], _AUDIO)
    voices = calibrate.voices(patch, notes, _AUDIO)
    return f"{movement_db(calibrate.rendered(voices, range(start, start + 70), _AUDIO), _RATE_HZ):.1f}"


def pitched() -> list[str]:
    """The patches that play notes, by family."""
    return [name for name in by_family() if library()[name].family not in _UNPITCHED]


def register_lufs(name: str, patch: Patch) -> list[float]:
    """Loudness of single notes, evenly from the lowest to the highest: the loudest second, mean of seeds."""
    pitches = np.linspace(patch.low, patch.high, len(_REGISTER))
    return [float(np.mean([_note_lufs(name, patch, pitch, seed) for seed in _SEEDS])) for pitch in pitches]


def _note_lufs(name: str, patch: Patch, pitch: float, seed: int) -> float:
    middle, held = (patch.low + patch.high) // 2, patch.family in _HELD
    start = round(15 * patch.envelope.attack_s) if held else 0
    notes = calibrate.notes_of(name, patch, [calibrate.Stroke(0.0, pitch - middle, 20.0)], _AUDIO)
    voices = calibrate.voices(patch, notes, _AUDIO, seed)
    heard = calibrate.rendered(voices, range(start, start + 12), _AUDIO)
    return float(measures.loudness_curve(heard, _RATE_HZ, 1.0).max())


def keys_lufs(name: str, keys: Sequence[float] = range(-6, 6)) -> list[float]:
    """Loudness of the phrase in other keys, by default in all twelve around the middle of the range."""
    return [measures.integrated_lufs(calibrate.played(name, _AUDIO, semitones=key), _RATE_HZ) for key in keys]


def level_table() -> str:
    """How even each pitched patch is over its range, and from key to key, in LU."""
    rows = []
    for name in pitched():
        register, keys = register_lufs(name, library()[name]), keys_lufs(name)
        against = [f"{lufs - float(np.median(register)):z.1f}" for lufs in register]
        rows.append([f"`{name}`", *against, f"{max(keys) - min(keys):.1f}"])
    return table(["patch", *_REGISTER, "keys"], rows)


def facts(name: str, patch: Patch) -> list[str]:
    """What is known without measuring: name, family, range, partials."""
    span = f"{pitch_name(patch.low)}–{pitch_name(patch.high)}"
    return [f"`{name}`", patch.family, span, str(partials(name, patch))]


def by_family() -> list[str]:
    """The names of all patches, in the families' order."""
    return sorted(library(), key=lambda name: FAMILIES.index(library()[name].family))


def patch_table() -> str:
    """All patches by family."""
    rows = [[*facts(name, library()[name]), *figures(name, library()[name])] for name in by_family()]
    header = ["patch", "family", "range", "partials", "LUFS", "centroid Hz", "movement dB", "correlation"]
    return table(header, rows)


def descriptions() -> str:
    """What each patch says of itself."""
    return table(["name", "sound"], [[f"`{name}`", patch.description] for name, patch in library().items()])


def parameter_tables() -> str:
    """One table a part of a patch."""
    sections = []
    for part in parts():
        rows = [_row(p) for p in parameters() if p.part == part.__name__]
        summary = (inspect.getdoc(part) or "").splitlines()[0]
        header = ["parameter", "allowed", "curve", "default", "what it does"]
        sections.append(f"### {part.__name__}\n\n{summary}\n\n{table(header, rows)}")
    return "\n\n".join(sections)


def _row(parameter: Parameter) -> list[str]:
    default = parameter.default or "must be given"
    return [f"`{parameter.name}`", parameter.allowed, parameter.curve, default, parameter.description]


def table(header: list[str], rows: list[list[str]]) -> str:
    """As Markdown, with real minus signs."""
    lines = [header, ["---"] * len(header), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return re.sub(r"(?<=[ (])-(?=\d)", "−", text)


def with_section(page: str, name: str, text: str) -> str:
    """The page with ``text`` between the marks of section ``name``."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end of {name} -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"{PAGE.name}: no marks of {name!r}")
    return marks.sub(lambda match: f"{match[1]}\n{text}\n{match[2]}", page)


def main() -> None:
    """Measure, and write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    page = PAGE.read_text()
    page = with_section(page, "patches", patch_table())
    page = with_section(page, "levels", level_table())
    page = with_section(page, "sounds", descriptions())
    PAGE.write_text(with_section(page, "parameters", parameter_tables()))


if __name__ == "__main__":
    main()
