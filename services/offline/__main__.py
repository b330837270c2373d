"""``auralis render``: render a piece from its seed, faster than real time, without a broker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.controls import Controls
from auralis.errors import InvalidValue
from auralis.score.events import Batch
from services.offline import exports, stems
from services.offline.drafts import checked_file, drafted
from services.offline.interruption import Interruption
from services.offline.piece import LAYERS, composed, layers_of
from services.offline.progress import list_written, progress
from services.offline.rendering import rendered
from services.offline.report.loudness import LoudnessMeter
from services.offline.report.page import page
from services.offline.sound_file import SoundFile, checked_path, opened
from services.offline.work import Parts, Work

_MAX_MINUTES: Final = 24 * 60
_MAX_SEED: Final = 2**32 - 1
_MAX_PROCESSES: Final = 256
_MAX_WAV_BYTES: Final = 2**32 - 2**16  # its size fields have 32 bits


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """A validated request to render a piece. ``processes`` is the most to use; None: one per core.

    Raises:
        InvalidValue: naming the first value that is not allowed.
    """

    seed: int
    minutes: float
    controls: Controls
    output: Path
    audio: AudioFormat
    stems: Path | None = None
    midi: Path | None = None
    score: Path | None = None
    report: Path | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MAX_SEED:
            raise InvalidValue("seed", self.seed, f"0 to {_MAX_SEED}")
        if not 0 < self.minutes <= _MAX_MINUTES:
            raise InvalidValue("minutes", self.minutes, f"more than 0, at most {_MAX_MINUTES}")
        if self.processes is not None and not 1 <= self.processes <= _MAX_PROCESSES:
            raise InvalidValue("processes", self.processes, f"1 to {_MAX_PROCESSES}")
        checked_path(self.output)
        if self.stems is not None:
            stems.checked_stems(self.stems, self.output)
        self._check_exports()
        self._check_size()

    def _check_exports(self) -> None:
        folders = () if self.stems is None else (self.stems,)
        taken = Counter(path.absolute() for path in (*self._sounds, *folders, *self.exports.values()))
        for field, path in self.exports.items():
            checked_file(field, path)
            if taken[path.absolute()] > 1:
                raise InvalidValue(field, str(path), "a file of its own")

    def _check_size(self) -> None:
        if self.output.suffix.lower() == ".wav" and self.chunks * self.audio.bytes_per_chunk > _MAX_WAV_BYTES:
            most = _MAX_WAV_BYTES / self.audio.bytes_per_chunk / CHUNKS_PER_SECOND / 60
            raise InvalidValue("minutes", self.minutes, f"at most {int(most)} in a .wav, more in a .flac")

    @property
    def _sounds(self) -> list[Path]:
        """All sound files that may be written."""
        layers = () if self.stems is None else LAYERS
        return [self.output, *(stems.stem_path(self.stems or Path(), layer, self.output) for layer in layers)]

    @property
    def exports(self) -> dict[str, Path]:
        """The files in addition to the sound, by option."""
        wanted = {"midi": self.midi, "score": self.score, "report": self.report}
        return {field: path for field, path in wanted.items() if path is not None}

    @property
    def chunks(self) -> int:
        """Whole chunks of the piece, at least one."""
        return max(1, round(self.minutes * 60 * CHUNKS_PER_SECOND))


def main(request: RenderRequest) -> int:
    """Render and write; return the exit code."""
    piece = composed(request.seed, request.controls, request.chunks / CHUNKS_PER_SECOND, request.audio)
    layers = layers_of(piece) if request.stems is not None else ()
    work = Work(piece, request.seed, request.audio, layers)
    folder = request.stems or request.output.parent
    sounds = [request.output, *(stems.stem_path(folder, layer, request.output) for layer in layers)]
    files = [*sounds, *request.exports.values()]
    with Interruption() as interruption:
        with stems.created_folder(request.stems), drafted(files) as drafts:
            meter = LoudnessMeter(request.audio) if request.report else None
            with (
                opened(drafts[: len(sounds)], sounds, request.audio) as sound_files,
                _chunks(request, work, interruption) as chunks,
            ):
                _sound(sound_files, chunks, meter)
            _export(request, piece, drafts[len(sounds) :], meter)
            interruption.check()
        list_written(files)
    return 0


def _sound(files: list[SoundFile], chunks: Iterator[Parts], meter: LoudnessMeter | None) -> None:
    """Write the mix and the stems, and measure the mix."""
    for parts in chunks:
        for file, pcm in zip(files, parts, strict=True):
            file.write(pcm)
        if meter:
            meter.add(parts[0])


@contextmanager
def _chunks(request: RenderRequest, work: Work, interruption: Interruption) -> Iterator[Iterator[Parts]]:
    """The rendered chunks, with a progress bar; Ctrl-C ends them and their processes between two chunks."""
    with progress(request.chunks) as advance:

        def on_chunks(chunks: int) -> None:
            advance(chunks)
            interruption.check()

        with closing(rendered(work, request.chunks, on_chunks, request.processes)) as chunks:
            yield chunks


def _export(request: RenderRequest, piece: Batch, drafts: list[Path], meter: LoudnessMeter | None) -> None:
    """Write the files requested in addition to the sound."""
    stretch = exports.stretch_of_piece(piece, request.audio, request.audio.start_frame(request.chunks))
    for draft, (field, path) in zip(drafts, request.exports.items(), strict=True):
        if field == "midi":
            data = exports.midi(stretch, request.seed)
        elif meter and field == "report":
            data = page(request.seed, request.controls, stretch, meter).encode()
        else:
            data = exports.lines(piece)
        exports.write(draft, path, data)
