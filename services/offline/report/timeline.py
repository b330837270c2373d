"""The pictures over time, one below the other on a common axis: form, chords, notes, density, loudness."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from auralis.midi.names import chord_name, signature_name
from auralis.score.events import Layer, Note
from auralis.score.stretch import Stretch
from auralis.score.tonality import key_at
from services.offline.piece import LAYERS
from services.offline.report import svg
from services.offline.report.loudness import Curve
from services.offline.report.music import UNPITCHED

COLOURS: Final[dict[Layer, str]] = {
    "drone": "#5b4b8a",
    "pad": "#4c78a8",
    "choir": "#5fb5ae",
    "bells": "#d9a514",
    "melody": "#d83a3a",
    "answer": "#f58518",
    "texture": "#9a9a9a",
    "percussion": "#3d8b3d",
}
_SECTION_COLOURS: Final = ("#e8eef7", "#f7efe2", "#e9f3ea", "#f6e7ec", "#eeeaf6", "#f4f4e4", "#e6f2f4")
LEFT: Final = 64.0  # room for the labels of axes
_RIGHT: Final = 16.0
_PX_A_MINUTE: Final = 120.0
_NARROWEST: Final = 900.0
_DENSITY_S: Final = 10
_LOUDNESS_LUFS: Final = (-50.0, -5.0)
_LOUDNESS_MARKS: Final = (-50.0, -40.0, -30.0, -20.0, -10.0)
_GRID: Final = "#ddd"
_INK: Final = "#333"


class Axis:
    """The time axis, from left to right."""

    def __init__(self, stretch: Stretch) -> None:
        self.seconds = max(stretch.seconds, 1e-3)
        self.width = max(_NARROWEST, self.seconds / 60 * _PX_A_MINUTE)
        self._stretch = stretch

    @property
    def total(self) -> float:
        """The width of a whole picture."""
        return LEFT + self.width + _RIGHT

    def x(self, second: float) -> float:
        """The x coordinate of ``second``."""
        return LEFT + min(max(second, 0.0), self.seconds) / self.seconds * self.width

    def at(self, frame: int) -> float:
        """The x coordinate of ``frame``."""
        return self.x(self._stretch.second(frame))

    def grid(self, height: float, *, labelled: bool = False) -> list[str]:
        """Vertical lines at regular times; ``labelled``: with the times below."""
        step = _step_s(self.seconds)
        marks = np.arange(0, self.seconds + 1e-6, step)
        elements = [svg.line(self.x(s), 0, self.x(s), height, stroke=_GRID) for s in marks]
        if labelled:
            elements += [
                svg.text(self.x(s), height + 14, clock(s), anchor="middle", class_="small") for s in marks
            ]
        return elements


def clock(seconds: float) -> str:
    """``seconds`` as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def legend(stretch: Stretch, axis: Axis) -> svg.Picture:
    """The colour of each layer, for pictures that stand alone."""
    playing = {note.layer for note in stretch.notes}
    elements: list[str] = []
    for place, layer in enumerate(layer for layer in LAYERS if layer in playing):
        x = LEFT + 100 * place
        elements += [svg.rect(x, 4, 12, 12, rx=2, fill=COLOURS[layer]), svg.text(x + 17, 14, layer)]
    return svg.Picture(axis.total, 24, elements, "Layers")


def form(stretch: Stretch, axis: Axis) -> svg.Picture:
    """Sections as bands, with keys and changes of tempo above them."""
    names = list(dict.fromkeys(section.name for section in stretch.sections))
    bands = []
    ends = [*(section.at_frame for section in stretch.sections[1:]), stretch.end_frame]
    for section, end in zip(stretch.sections, ends, strict=False):
        x, colour = axis.at(section.at_frame), _SECTION_COLOURS[names.index(section.name) % 7]
        width = axis.at(end) - x
        bands.append(svg.rect(x, 16, width, 22, fill=colour, stroke="#bbb"))
        label = f"{section.name}, {clock(stretch.audio.seconds(end - max(0, section.at_frame)))}"
        bands.append(_fitting(x, 31, width, section.name, label))
    keys = [
        svg.text(axis.at(mark.at_frame), 11, str(mark.key), class_="key", fill=_INK) for mark in stretch.keys
    ]
    labels = [_label(31, "section"), _label(11, "key")]
    return svg.Picture(axis.total, 40, [*labels, *bands, *keys, *_tempi(stretch, axis)], "Form")


def chords(stretch: Stretch, axis: Axis) -> svg.Picture:
    """Each chord's symbol where it begins, with its degree in a tooltip."""
    height, elements = 66.0, []
    ends = [*(chord.at_frame for chord in stretch.chords[1:]), stretch.end_frame]
    for chord, end in zip(stretch.chords, ends, strict=False):
        key = key_at(stretch.keys, chord.at_frame)
        name, x = chord_name(chord, key), axis.at(chord.at_frame)
        seconds = stretch.audio.seconds(end - chord.at_frame)
        tooltip = f"{clock(stretch.second(chord.at_frame))}  {name}, {chord.degree}"
        tooltip += f" of {signature_name(key)}, {seconds:.0f} s" if key else ""
        label = svg.text(x + 9, height - 4, name, turn=-90, class_="small")
        elements.append(svg.titled(svg.line(x, 0, x, height, stroke="#bbb") + label, tooltip))
    return svg.Picture(axis.total, height, [_label(height - 6, "chords"), *elements], "Chords")


def roll(stretch: Stretch, axis: Axis) -> svg.Picture:
    """The piano roll: pitched notes by pitch, and below them a lane for each unpitched instrument."""
    pitched = [note for note in stretch.notes if note.layer not in UNPITCHED]
    low, high = _range(pitched)
    step, lanes = 7.0, _lanes(stretch)
    bottom = (high - low + 1) * step
    height = bottom + 12 * len(lanes) + (8 if lanes else 0)
    elements = axis.grid(height, labelled=True) + _octaves(low, high, step, axis)
    for layer in LAYERS:
        notes = [note for note in stretch.notes if note.layer == layer]
        place: Callable[[Note], tuple[float, float]] = (
            (lambda note: (bottom + 8 + 12 * lanes.index((note.layer, note.patch)), 9.0))
            if layer in UNPITCHED
            else (lambda note: ((high - round(note.pitch)) * step + 0.5, step - 1))
        )
        bars = [_bar(note, axis, *place(note)) for note in notes]
        elements.append(svg.group(bars, fill=COLOURS[layer]))
    elements += [_label(bottom + 16 + 12 * row, patch) for row, (_, patch) in enumerate(lanes)]
    return svg.Picture(axis.total, height + 20, elements, "Piano roll")


def density(stretch: Stretch, axis: Axis) -> svg.Picture:
    """Onsets per minute in every ten seconds, with the layers stacked."""
    height = 90.0
    count = max(1, -(-int(np.ceil(axis.seconds)) // _DENSITY_S))
    onsets = np.zeros((len(LAYERS), count))
    for note in stretch.notes:
        place = min(int(stretch.second(note.at_frame)) // _DENSITY_S, count - 1)
        onsets[LAYERS.index(note.layer), place] += 60 / _DENSITY_S
    most = max(float(onsets.sum(axis=0).max()), 1.0)
    elements = axis.grid(height) + _Scale(0, most, height).levels([0, most], axis)
    below = np.zeros(count)
    for row, layer in enumerate(LAYERS):
        bars = [
            svg.rect(
                axis.x(n * _DENSITY_S),
                height - (below[n] + onsets[row, n]) / most * height,
                axis.x((n + 1) * _DENSITY_S) - axis.x(n * _DENSITY_S) - 0.5,
                onsets[row, n] / most * height,
            )
            for n in range(count)
            if onsets[row, n]
        ]
        below += onsets[row]
        elements.append(svg.group(bars, fill=COLOURS[layer]))
    return svg.Picture(axis.total, height + 6, [*elements, _label(height / 2, "notes/min")], "Density")


def loudness(levels_lufs: Curve, integrated_lufs: float, axis: Axis) -> svg.Picture:
    """Short-term loudness, once a second; the dashed line is the integrated loudness."""
    scale = _Scale(*_LOUDNESS_LUFS, height=130.0)
    elements = axis.grid(scale.height, labelled=True) + scale.levels(_LOUDNESS_MARKS, axis)
    points = [(axis.x(3 + n / 10), scale.y(float(levels_lufs[n]))) for n in range(0, len(levels_lufs), 10)]
    if points:
        elements.append(svg.path(points, fill="none", stroke="#1f5fa8", stroke_width=1.5))
    if np.isfinite(integrated_lufs):
        at = scale.y(integrated_lufs)
        elements.append(svg.line(LEFT, at, LEFT + axis.width, at, stroke="#d83a3a", stroke_dasharray="5 4"))
        elements.append(
            svg.text(LEFT + 4, 10, f"dashed: all of it, {integrated_lufs:.1f} LUFS", class_="small")
        )
    return svg.Picture(axis.total, scale.height + 20, [*elements, _label(scale.y(-25), "LUFS")], "Loudness")


# -- What the pictures share


def _tempi(stretch: Stretch, axis: Axis) -> list[str]:
    """Labels where the tempo changes: not at every step of a ramp, but where it has arrived."""
    elements, before = [], stretch.tempi[0].bpm if stretch.tempi else 0.0
    for tempo, following in zip(stretch.tempi, [*stretch.tempi[1:], None], strict=False):
        arrived = following is None or following.bpm == tempo.bpm
        if arrived and tempo.bpm != before:
            label = f"{tempo.bpm:g} BPM"
            elements.append(svg.text(axis.at(tempo.at_frame) + 90, 11, label, class_="key", fill=_INK))
            before = tempo.bpm
    return elements


def _range(pitched: Sequence[Note]) -> tuple[int, int]:
    pitches = [round(note.pitch) for note in pitched] or [48, 72]
    return min(pitches) - 2, max(pitches) + 2


def _lanes(stretch: Stretch) -> list[tuple[Layer, str]]:
    """The unpitched instruments with their layers, texture first."""
    found = {(note.layer, note.patch) for note in stretch.notes if note.layer in UNPITCHED}
    return sorted(found, key=lambda lane: (LAYERS.index(lane[0]), lane[1]))


def _bar(note: Note, axis: Axis, y: float, height: float) -> str:
    x = axis.at(note.at_frame)
    width = max(1.5, axis.at(note.release_frame) - x)
    return svg.rect(x, y, width, height, rx=1, opacity=f"{0.3 + 0.7 * note.velocity:.2f}")


def _octaves(low: int, high: int, step: float, axis: Axis) -> list[str]:
    elements = []
    for pitch in range(low, high + 1):
        y = (high - pitch + 1) * step
        if pitch % 12 == 0:
            elements.append(svg.line(LEFT, y, LEFT + axis.width, y, stroke="#bbb"))
            elements.append(_label(y - 1, f"C{pitch // 12 - 1}"))
    return elements


class _Scale(NamedTuple):
    """A scale of values, from the bottom of a picture to its top."""

    low: float
    high: float
    height: float

    def y(self, value: float) -> float:
        return self.height * (1 - (min(max(value, self.low), self.high) - self.low) / (self.high - self.low))

    def levels(self, marks: Sequence[float], axis: Axis) -> list[str]:
        """A line and a number at each of ``marks``."""
        elements = []
        for mark in marks:
            y = self.y(mark)
            elements.append(svg.line(LEFT, y, LEFT + axis.width, y, stroke=_GRID))
            elements.append(svg.text(LEFT - 4, max(y + 4, 9), f"{mark:.0f}", anchor="end", class_="small"))
        return elements


def _label(y: float, label: str) -> str:
    return svg.text(2, y, label, class_="small")


def _fitting(x: float, y: float, width: float, label: str, title: str) -> str:
    """A label in a band, with ``title`` as its tooltip; nothing if it does not fit."""
    shown = label if width > 6.5 * len(label) else ""
    return svg.titled(svg.text(x + 4, y, shown), title) if shown else ""


def _step_s(seconds: float) -> int:
    """Seconds between two lines of the grid."""
    return next(step for step in (5, 10, 30, 60, 300, 1800) if seconds / step <= 24 or step == 1800)
