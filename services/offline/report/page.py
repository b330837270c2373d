"""The page: one self-contained HTML file, without any script."""

import math
from collections import Counter
from html import escape
from typing import Final

import numpy as np

from auralis.controls import Controls
from auralis.score.stretch import Stretch
from services.offline.piece import LAYERS
from services.offline.report import music, svg, timeline
from services.offline.report.bands import Measure, measures
from services.offline.report.histogram import histogram
from services.offline.report.loudness import LoudnessMeter

_FITTING_S: Final = 15 * 60
_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 24px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 6px; }
p { margin: 4px 0 10px; max-width: 80ch; color: #555; }
.cards { display: flex; flex-wrap: wrap; gap: 10px; margin: 14px 0; }
.card { border: 1px solid #ddd; border-radius: 6px; padding: 6px 14px; }
.card b { display: block; font-size: 18px; } .card span { color: #666; font-size: 13px; }
.wide { overflow-x: auto; } .wide svg, .fitting svg { display: block; }
.fitting svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: 3px 14px 3px 0; vertical-align: top; }
tr { border-bottom: 1px solid #eee; } td.number { text-align: right; white-space: nowrap; }
td.out { color: #b00020; font-weight: 600; } td.meaning { color: #666; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 8px; font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; }
.beside { display: flex; flex-wrap: wrap; gap: 12px 48px; }
"""


def page(seed: int, controls: Controls, stretch: Stretch, meter: LoudnessMeter) -> str:
    """The report of a rendered piece as HTML; the same piece gives the same bytes."""
    title = f"Auralis, seed {seed}"
    subtitle = f"{controls.key}, {controls.bpm:g} BPM, intensity {controls.intensity:g}"
    body = [
        f"<h1>{escape(title)}</h1><p>{escape(subtitle)}, {timeline.clock(stretch.seconds)} minutes</p>",
        _cards(stretch, meter),
        _over_time(stretch, meter),
        '<div class="beside">',
        _tones(stretch, controls),
        _table(measures(stretch)),
        "</div>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{svg.STYLE}{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _cards(stretch: Stretch, meter: LoudnessMeter) -> str:
    cards = {
        "integrated loudness": f"{meter.integrated_lufs:.1f} LUFS",
        "loudness range": f"{meter.range_lu:.1f} LU",
        "sample peak": f"{meter.peak_dbfs:.1f} dBFS",
        "notes": str(len(stretch.notes)),
        "chords": str(len(stretch.chords)),
        "sections": str(len(stretch.sections)),
    }
    shown = (f'<div class="card"><b>{value}</b><span>{name}</span></div>' for name, value in cards.items())
    return f'<div class="cards">{"".join(shown)}</div>'


def _over_time(stretch: Stretch, meter: LoudnessMeter) -> str:
    axis = timeline.Axis(stretch)
    pictures = [
        timeline.form(stretch, axis),
        timeline.chords(stretch, axis),
        timeline.roll(stretch, axis),
        timeline.density(stretch, axis),
        timeline.loudness(meter.short_term_lufs, meter.integrated_lufs, axis),
    ]
    shown = "".join(picture.inline() for picture in pictures)
    # A short piece is fitted to the window, a longer one scrolls.
    room = "fitting" if stretch.seconds <= _FITTING_S else "wide"
    return (
        "<h2>Over time</h2><p>Sections and key, chords, every note by pitch (stronger is louder; what "
        "has no pitch in lanes of its own), how many notes begin, and how loud the last 3 s were. Point at a "
        f'chord or section to read more.</p>{_legend(stretch)}<div class="{room}">{shown}</div>'
    )


def _legend(stretch: Stretch) -> str:
    shown = []
    for layer in LAYERS:
        patches = Counter(note.patch for note in stretch.notes if note.layer == layer)
        if patches:
            played = ", ".join(f"{patch} {count}" for patch, count in patches.most_common())
            colour = f'<i style="background:{timeline.COLOURS[layer]}"></i>'
            shown.append(f"<span>{colour}<b>{layer}</b> {escape(played)}</span>")
    return f'<div class="legend">{"".join(shown)}</div>'


def _tones(stretch: Stretch, controls: Controls) -> str:
    key = stretch.keys[0].key if len(stretch.keys) == 1 else controls.musical_key
    shown = histogram(music.pitch_class_seconds(stretch), key)
    return (
        f"<div><h2>Tones</h2><p>How long each pitch class sounds; red: outside {escape(str(key))}.</p>"
        f"{shown.inline()}</div>"
    )


def _table(rows: list[Measure]) -> str:
    head = "<tr><th>measure</th><th>found</th><th>usual</th><th></th></tr>"
    return (
        "<div><h2>Measures</h2><p>Red: outside what is usual over ten minutes or more.</p>"
        f"<table>{head}{''.join(map(_row, rows))}</table></div>"
    )


def _row(row: Measure) -> str:
    outside = " out" if row.within is False else ""
    found = "–" if math.isnan(row.value) else f"{row.value:.3g} {row.unit}"
    return (
        f'<tr><td>{row.name}</td><td class="number{outside}">{found}</td>'
        f'<td class="number">{_band(row)}</td><td class="meaning">{escape(row.meaning)}</td></tr>'
    )


def _band(row: Measure) -> str:
    if np.isinf(row.low) and np.isinf(row.high):
        return ""
    return f"{row.low:g}" if row.low == row.high else f"{row.low:g} to {row.high:g}"
