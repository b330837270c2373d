"""Draws what the synth sounds like: a sheet of all patches, and ten minutes of the mix.

The pictures of docs/sound.md come from here, and are the same whenever the sound is::

    python examples/spectrograms.py [--to docs/images] [--minutes 10] [--seed 1]
    python examples/spectrograms.py --to FOLDER NAME ...    # these patches, each a large picture

Frequency runs in octaves. Levels are power within a band of a 24th octave, against the loudest one.
"""

import argparse
import sys
from collections.abc import Iterable
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy import signal

# Started as a script, the path has this folder only.
sys.path.insert(0, str(Path(__file__).parents[1]))

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from examples import calibrate
from examples.calibrate import Stroke
from examples.patch_page import by_family
from services.synth.patches.library import library
from tests.gates import measures
from tests.gates.pieces import piece

Audio = NDArray[np.float32] | NDArray[np.float64]

# One note in the middle of the range, then a triad around it; what is left rings on.
PHRASE: Final = (Stroke(0.5, 0, 5.0), *(Stroke(6.0, step, 5.0) for step in (-5, 0, 4)))
_PHRASE_S: Final = 14.0
_LOWEST_HZ, _HIGHEST_HZ, _PER_OCTAVE = 30.0, 16_000.0, 24
_TICKS_HZ: Final = (62.5, 250, 1000, 4000, 16_000)
_FRAME: Final = 8192
_DEPTH_DB: Final = 72.0
# Steps of 4 dB: what is finer is not seen, and makes a picture of noise as large as the noise.
_COLOURS: Final = 18
_COLUMNS: Final = 5
_DPI: Final = 100
_FOLDER: Final = Path(__file__).parents[1] / "docs" / "images"
_STYLE: Final[dict[Any, Any]] = {
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.titlepad": 3,
    "xtick.major.size": 2,
}


def spectrogram(audio: Audio, rate_hz: int, columns: int) -> NDArray[np.float64]:
    """Levels in dB under the loudest: ``[band, column]``, bands upwards from the lowest."""
    hop = max(1, min(_FRAME // 4, audio.shape[1] // columns // 2))
    freq_hz, _, ears = signal.stft(
        audio, rate_hz, nperseg=_FRAME, noverlap=_FRAME - hop, boundary=None, axis=1
    )
    power = bands(freq_hz) @ (np.abs(ears) ** 2).sum(axis=0)
    edges = np.linspace(0, power.shape[1], columns + 1).astype(int)
    means = np.add.reduceat(power, edges[:-1], axis=1) / np.maximum(np.diff(edges), 1)
    return np.asarray(10 * np.log10(np.maximum(means / means.max(), 1e-12)))


def bands(freq_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Triangles a 24th octave apart; where bins lie further apart than that, as wide as those."""
    count = int(np.log2(_HIGHEST_HZ / _LOWEST_HZ) * _PER_OCTAVE)
    centre_hz = _LOWEST_HZ * 2 ** (np.arange(count) / _PER_OCTAVE)
    width_hz = np.maximum(centre_hz * (2 ** (1 / _PER_OCTAVE) - 1), freq_hz[1])
    return np.asarray(np.maximum(1 - np.abs(freq_hz - centre_hz[:, None]) / width_hz[:, None], 0))


def draw(axes: Axes, levels_db: NDArray[np.float64], seconds: float, unit_s: float = 1.0) -> None:
    """``levels_db`` over ``seconds``, which the axis counts in ``unit_s``."""
    octaves = np.log2(_HIGHEST_HZ / _LOWEST_HZ)
    # The first and the last column are in the middle of their windows.
    edge_s = _FRAME / 2 / AudioFormat().sample_rate_hz
    axes.imshow(
        levels_db,
        cmap=mpl.colormaps["magma"].resampled(_COLOURS),
        vmin=-_DEPTH_DB,
        vmax=0,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(edge_s / unit_s, (seconds - edge_s) / unit_s, 0, octaves),
    )
    axes.set_xlim(0, seconds / unit_s)
    axes.set_facecolor("black")
    axes.set_yticks([np.log2(hz / _LOWEST_HZ) for hz in _TICKS_HZ], [_hertz(hz) for hz in _TICKS_HZ])


def _hertz(hz: float) -> str:
    return f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}"


def heard(name: str) -> Audio:
    """The patch playing the phrase, dry, with what rings on after it."""
    audio, patch = AudioFormat(), library()[name]
    playing = calibrate.voices(patch, calibrate.notes_of(name, patch, list(PHRASE), audio), audio)
    return calibrate.rendered(playing, range(round(_PHRASE_S * CHUNKS_PER_SECOND)), audio)


def sheet(names: Iterable[str], columns: int, panel: tuple[float, float]) -> Figure:
    """One panel a patch, ``columns`` beside each other, each of so many inches."""
    every = list(names)
    rows = ceil(len(every) / columns)
    figure = Figure(figsize=(columns * panel[0], rows * panel[1]), dpi=_DPI, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, name in zip(grid.flat, every, strict=False):
        draw(axes, spectrogram(heard(name), AudioFormat().sample_rate_hz, round(panel[0] * 80)), _PHRASE_S)
        axes.set_title(name)
    for axes in grid.flat[len(every) :]:
        axes.set_axis_off()
    return figure


def mix(seed: int, minutes: float) -> Figure:
    """A piece of ``seed``: its spectrogram, and its loudness beneath."""
    of = piece(seed, minutes)
    figure = Figure(figsize=(11, 5.2), dpi=_DPI, layout="constrained")
    above, beneath = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    draw(above, spectrogram(of.audio, of.rate_hz, 1000), 60 * minutes, 60)
    _draw_loudness(beneath, of.audio, of.rate_hz)
    above.set_title(f"seed {seed} at intensity 0.5")
    beneath.set_xlabel("minutes")
    return figure


def _draw_loudness(axes: Axes, audio: Audio, rate_hz: int) -> None:
    curve = measures.loudness_curve(audio, rate_hz)
    whole, span = measures.integrated_lufs(audio, rate_hz), measures.loudness_range_lu(audio, rate_hz)
    minutes = (3 + np.arange(curve.size) / 10) / 60
    axes.plot(minutes, curve, linewidth=0.8, color="#51127c")
    axes.axhline(whole, linewidth=0.6, color="#b73779")
    axes.set_ylim(-30, -10)
    axes.set_ylabel("LUFS, 3 s")
    axes.set_title(
        f"integrated {whole:.1f} LUFS, loudness range {span:.1f} LU".replace("-", "\N{MINUS SIGN}")
    )


def save(figure: Figure, path: Path) -> None:
    """As a PNG of few colours, without the time and the versions it was made with."""
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    picture: Any = Image.open(drawn).convert("RGB").quantize(48, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    print(f"{path} {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Render, draw, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        type=calibrate.patch_name,
        metavar="NAME",
        help="patches; none: the sheet, and the mix",
    )
    parser.add_argument("--to", type=Path, default=_FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        for name in given.names:
            save(sheet([name], 1, (10, 6)), given.to / f"{name}.png")
        if not given.names:
            save(sheet(by_family(), _COLUMNS, (2.4, 1.5)), given.to / "patches.png")
            save(mix(given.seed, given.minutes), given.to / "mix.png")


if __name__ == "__main__":
    main()
