"""Measures a whole piece by everything that the gates ask for, and more, and prints it beside their bands.

::

    python examples/measure_piece.py --seed 1 --minutes 30 --rate 48000
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

# Started as a script, the path has this folder only.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.gates import measures, structure
from tests.gates.pieces import Piece, piece
from tests.gates.roughness import roughness


class Figure(NamedTuple):
    """What is measured, with its unit, and the least and the most that it may be."""

    name: str
    measured: Callable[[Piece], float]
    least: float
    most: float


def borders(of: Piece) -> measures.Borders:
    """Of its chunks."""
    return measures.borders(of.audio, of.rate_hz // 10)


def repeat(of: Piece) -> structure.Repeat:
    """Of eight bars at 60 beats a minute."""
    return structure.closest_repeat(of.audio, of.rate_hz, 32.0)


def unexplained(of: Piece) -> float:
    """Jumps of the spectrum at which no note begins, for each note that does."""
    onsets = of.onsets_s()
    peaks = structure.onsets_s(of.audio, of.rate_hz)
    return len(structure.unexplained_s(peaks, onsets, 0.12)) / max(1, len(onsets))


INF: Final = float("inf")
WHOLE: Final = (
    Figure("loudness LUFS", lambda p: measures.integrated_lufs(p.audio, p.rate_hz), -19, -17),
    Figure("loudness range LU", lambda p: measures.loudness_range_lu(p.audio, p.rate_hz), 4, 12),
    Figure("true peak dBTP", lambda p: measures.true_peak_db(p.audio), -INF, -1),
    Figure("crest dB", lambda p: measures.crest_db(p.audio), -INF, INF),
    Figure("clicks", lambda p: len(measures.click_frames(p.audio)), 0, 0),
    Figure("longest silence s", lambda p: measures.longest_silence_s(p.audio, p.rate_hz), 0, 0.1),
    Figure("DC dBFS", lambda p: measures.dc_dbfs(p.audio), -INF, -60),
    Figure("border rank, deviations", lambda p: borders(p).rank_deviation, -4, 4),
    Figure("border step dB", lambda p: borders(p).step_db, -INF, 0),
    Figure("stereo correlation", lambda p: measures.stereo_correlation(p.audio), 0.2, 0.9),
    Figure("mono loss dB", lambda p: measures.mono_loss_db(p.audio), -INF, 3),
    Figure("slope dB/octave", lambda p: measures.slope_db_per_octave(p.audio, p.rate_hz), -9, -5),
    Figure("power centroid Hz", lambda p: measures.power_centroid_hz(p.audio, p.rate_hz), 200, 600),
    Figure("roughness", lambda p: roughness(p.audio, p.rate_hz), 0, 0.75),
    Figure("flux without onset / onset", unexplained, 0, 0.05),
    Figure("closest 32 s differ by", lambda p: repeat(p).difference, 0.25, 1),
)


def lines(of: Piece) -> Iterator[str]:
    """One a figure, marked where it is outside."""
    for name, measured, least, most in WHOLE:
        found = measured(of)
        mark = "" if least <= found <= most else "  OUTSIDE"
        yield f"{name:28} {found:9.3f}   {least:g} to {most:g}{mark}"


def main() -> None:
    """Render, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=44_100)
    parser.add_argument("--intensity", type=float, default=0.5)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes, {given.rate} Hz, intensity {given.intensity:g}")
    for line in lines(piece(given.seed, given.minutes, given.intensity, given.rate)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
