"""Renders every patch of the library to a file, each playing the phrase of its family.

Files are named after their patches; what the folder holds already under that name is replaced::

    python examples/render_patches.py FOLDER [NAME ...] [--format flac] [--room hall] [--intensity 0.5]
"""

import argparse
import sys
from pathlib import Path

from auralis.audio import AudioFormat
from auralis.controls import Controls, changed
from auralis.errors import AuralisError
from services.offline import audition
from services.offline.audition import Audition
from services.synth.patches.library import library


def auditions(
    folder: Path, names: list[str], extension: str, room: str, controls: Controls
) -> list[Audition]:
    """One a patch, all checked before the first is rendered.

    Raises:
        InvalidValue: naming the first value that is not allowed.
    """
    return [
        Audition(name, folder / f"{name}.{extension}", AudioFormat(), room=room, controls=controls)
        for name in names or library()
    ]


def main(arguments: list[str] | None = None) -> int:
    """Render; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="made if it is not there")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all patches if none is named")
    parser.add_argument("--format", default="flac", help="wav, flac, ogg or mp3")
    parser.add_argument("--room", default="hall", help="hall, cathedral, plate or room")
    parser.add_argument("--intensity", type=float, default=0.5, help="0 to 1")
    given = parser.parse_args(arguments)
    try:
        controls = changed(Controls(), {"intensity": given.intensity})
        given.folder.mkdir(parents=True, exist_ok=True)
        for wanted in auditions(given.folder, given.names, given.format, given.room, controls):
            audition.main(wanted)
    except (AuralisError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
