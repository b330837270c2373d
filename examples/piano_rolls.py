"""Draws the form, the chords, the notes and the density of composed pieces, without rendering them.

One SVG a piece, named after its seed and intensity; what the folder holds already under that name is
replaced::

    python examples/piano_rolls.py FOLDER [--minutes 10] [--key "A minor"] [--bpm 60] SEED:INTENSITY ...
"""

import argparse
import sys
from pathlib import Path

from auralis.audio import AudioFormat
from auralis.controls import Controls, changed
from auralis.errors import AuralisError
from services.offline.exports import stretch_of_piece
from services.offline.piece import composed
from services.offline.report import svg, timeline

AUDIO = AudioFormat()


def drawn(seed: int, controls: Controls, seconds: float) -> str:
    """The pictures of one piece, as one."""
    piece = composed(seed, controls, seconds, AUDIO)
    stretch = stretch_of_piece(piece, AUDIO, AUDIO.frames(seconds))
    axis = timeline.Axis(stretch)
    kinds = (timeline.legend, timeline.form, timeline.chords, timeline.roll, timeline.density)
    title = f"Seed {seed}, {controls.key}, {controls.bpm:g} BPM, intensity {controls.intensity:g}"
    return svg.stacked([kind(stretch, axis) for kind in kinds], title)


def parsed(piece: str, controls: Controls) -> tuple[int, Controls]:
    """The seed of ``SEED[:INTENSITY]``, and ``controls`` at that intensity.

    Raises:
        ValueError, InvalidValue: one of them is not allowed.
    """
    seed, _, intensity = piece.partition(":")
    return int(seed), changed(controls, {"intensity": float(intensity or controls.intensity)})


def main(arguments: list[str] | None = None) -> int:
    """Draw; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="made if it is not there")
    parser.add_argument("pieces", nargs="+", metavar="SEED:INTENSITY")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--key", default=Controls().key)
    parser.add_argument("--bpm", type=float, default=Controls().bpm)
    wanted = parser.parse_args(arguments)
    try:
        controls = changed(Controls(), {"key": wanted.key, "bpm": wanted.bpm})
        pieces = [parsed(piece, controls) for piece in wanted.pieces]
        wanted.folder.mkdir(parents=True, exist_ok=True)
        for seed, turned in pieces:
            picture = drawn(seed, turned, 60 * wanted.minutes)
            (wanted.folder / f"seed-{seed}-intensity-{turned.intensity:g}.svg").write_text(picture)
    except (AuralisError, ValueError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
