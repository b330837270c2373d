"""A fresh process that renders the pieces in its files: a worker without a broker.

``python -m services.bench.child DEVICE CHUNKS FILE...`` renders a chunk of every file's piece as soon as it
can and reports that, then renders ``CHUNKS`` more of each and reports its peak memory.
"""

import resource
import sys
import time
from pathlib import Path

from auralis.audio import AudioFormat
from auralis.score.events import decode_batch
from services.synth.startup import loading


def main(device: str, chunks: int, paths: list[str]) -> None:
    """Render, and print a line after the first chunk and at the end."""
    with loading():  # as a worker does, then the worker's imports: they take time and memory
        from services.bench.channels import FIRST_SEQ, Channel, written  # noqa: PLC0415
        from services.synth import memory, worker  # noqa: F401, PLC0415
        from services.synth.renderer import Renderer  # noqa: PLC0415

    audio = AudioFormat()
    scores = [written(decode_batch(Path(path).read_bytes()), audio) for path in paths]
    played = [Channel(seed, score, audio) for seed, score in enumerate(scores)]
    renderer = Renderer(audio, device)
    renderer.render([channel.job(FIRST_SEQ) for channel in played])
    _say("rendered")
    tidied_s = time.monotonic()
    for seq in range(FIRST_SEQ + 1, FIRST_SEQ + 1 + chunks):
        jobs = [channel.job(seq) for channel in played]
        renderer.render(jobs)
        renderer.build_ahead(jobs)
        if memory.is_due(time.monotonic() - tidied_s, memory.resident_bytes()):
            tidied_s = time.monotonic()
            memory.give_back()
    _say(f"{_peak_mb():.1f}")


def _peak_mb() -> float:
    """The peak resident memory in MB."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:  # not Linux; macOS counts in bytes
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
    # On Linux ``ru_maxrss`` starts from the memory of the process that started this one.
    return float(status.partition("VmHWM:")[2].split()[0]) / 2**10


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
