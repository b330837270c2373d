"""Stems: the layers of a piece as files of their own, each with its echoes and its room.

A stem is the piece with only that layer's notes. It goes through the same master as the mix, so stems add up
to the mix as far as the master is linear: but for dither, the saturation's faint third harmonic and what the
limiter took away.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from auralis.audio import AudioFormat
from auralis.errors import InvalidValue
from auralis.score.events import Batch
from services.offline.piece import LAYERS, layers_of, score_of
from services.offline.replay import replay
from services.offline.sound_file import SoundFile, checked_folder, writing_all


def checked_stems(folder: Path, output: Path) -> Path:
    """``folder`` if the stems of ``output`` can be written there.

    Raises:
        InvalidValue: it is no folder that can be written to, or the piece itself would be one of the files.
    """
    checked_folder(folder)
    if output.absolute() in {_path(folder, layer, output).absolute() for layer in LAYERS}:
        raise InvalidValue("output", str(output), "another name: this is that of a stem")
    return folder


@contextmanager
def writing_stems(folder: Path, output: Path, batch: Batch, audio: AudioFormat) -> Iterator[list[SoundFile]]:
    """Write ``output`` and one file beside it for each layer that plays: all of them or none."""
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        paths = [output, *(_path(folder, layer, output) for layer in layers_of(batch))]
        with writing_all(paths, audio) as files:
            yield files
    except BaseException:
        if made:
            with suppress(OSError):
                folder.rmdir()
        raise


def rendered(batch: Batch, seed: int, audio: AudioFormat, seqs: Sequence[int]) -> Iterator[tuple[bytes, ...]]:
    """The PCM of each chunk: the mix, then each layer that plays."""
    scores = [score_of(batch), *(score_of(batch, layer) for layer in layers_of(batch))]
    return zip(*(replay(score, seed, audio, seqs) for score in scores), strict=True)


def _path(folder: Path, layer: str, output: Path) -> Path:
    return folder / f"{layer}{output.suffix}"
