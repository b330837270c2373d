"""What a worker costs: time until its first chunk, memory, and the takeover of a channel in mid-piece."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.errors import AuralisError
from auralis.score.events import Batch, encode_batch
from services.bench.channels import FIRST_SEQ, channels, piece
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, last_line, timed, waiting
from services.synth.dsp.arrays import Device
from services.synth.renderer import Renderer

CHANNELS: Final = 16
_TAKEN_OVER: Final = 2


def worker_rows(rounds: int, music_s: float, device: Device) -> list[Row]:
    """The time until a cold worker's first chunk, and its peak memory with 16 channels."""
    audio = AudioFormat()
    pieces = [piece(seed, music_s, audio) for seed in range(CHANNELS)]
    chunks = round(music_s * CHUNKS_PER_SECOND)
    first, bare = [], []
    for _ in range(rounds):
        bare.append(_child_s([sys.executable, "-c", "import torch; print()"])[0])
        first.append(_fresh(device, 0, pieces[:1])[0])
    _, peak_mb = _fresh(device, chunks, pieces)
    cold, torch_s = Samples(tuple(first)), Samples(tuple(bare))
    return [
        Row(
            "cold worker: first chunk in mid-piece",
            "s",
            cold,
            "python -c 'import torch'",
            torch_s.median / cold.median,
            "at most 3",
        ),
        Row("python -c 'import torch'", "s", torch_s),
        Row(
            f"worker with {CHANNELS} channels, {music_s:g} s: memory at most",
            "MB",
            Samples((peak_mb,)),
            goal="at most 600",
        ),
    ]


def takeover_rows(rounds: int, device: Device) -> list[Row]:
    """The first chunk of a channel that is new to the worker, in mid-piece, against the next one."""
    audio, music_s = AudioFormat(), 1.0 + rounds / CHUNKS_PER_SECOND
    played, wait, seqs = channels(_TAKEN_OVER, music_s, audio), waiting(device), count(FIRST_SEQ)
    warm = Renderer(audio, device)

    def steady() -> Callable[[], float]:
        def work() -> None:
            seq = next(seqs)
            for channel in played:
                warm.render([channel.job(seq)])

        return timed(work, wait)

    def cold() -> float:
        renderer, seq = Renderer(audio, device), FIRST_SEQ
        return timed(lambda: [renderer.render([channel.job(seq)]) for channel in played], wait)()

    found = interleaved({"steady": steady(), "cold": cold}, rounds)
    each = {name: samples.scaled(1000 / _TAKEN_OVER) for name, samples in found.items()}
    ratio = each["steady"].median / each["cold"].median
    return [Row("takeover: a channel's first chunk", "ms", each["cold"], "its next one", ratio)]


def _fresh(device: Device, chunks: int, pieces: Sequence[Batch]) -> tuple[float, float]:
    """Seconds until a fresh process has rendered a chunk of each piece; peak MB after ``chunks`` more."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"{number}.score" for number in range(len(pieces))]
        for path, batch in zip(paths, pieces, strict=True):
            path.write_bytes(encode_batch(batch))
        command = [sys.executable, "-m", "services.bench.child", device, f"{chunks}"]
        elapsed, lines = _child_s([*command, *map(str, paths)])
    return elapsed, float(lines[-1])


def _child_s(command: list[str]) -> tuple[float, list[str]]:
    """Seconds until the process prints its first line, and the lines after that."""
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101  it is piped
            first = process.stdout.readline()
            elapsed = time.perf_counter() - started
            rest = process.stdout.read().splitlines()
        errors.seek(0)
        if process.returncode or not first:
            raise AuralisError(f"the measured process failed: {last_line(errors.read())}")
    return elapsed, rest
