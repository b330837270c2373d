"""What listeners heard, recomputed from the score log alone."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.score import Score
from services.synth.dsp.arrays import CPU, Device
from services.synth.renderer import Job, Renderer

# Chunks rendered in one batch: faster, with the same bytes.
_AT_ONCE: Final = 16


def replay(
    score: Score, seed: int, audio: AudioFormat, seqs: Iterable[int], device: Device = CPU
) -> Iterator[bytes]:
    """The PCM of each chunk of ``seqs`` as rendered from the finished ``score``.

    It is what was streamed, byte for byte, provided that no chunk froze before a change reached it, that the
    ring was not restarted, and that the workers rendered on the same kind of ``device``.
    """
    renderer = Renderer(audio, device)
    jobs = (_job(score, seed, audio, seq) for seq in seqs)
    while some := list(islice(jobs, _AT_ONCE)):
        yield from renderer.render(some)


def _job(score: Score, seed: int, audio: AudioFormat, seq: int) -> Job:
    own, predecessor = (score.version_for(audio.end_frame(n)) for n in (seq, seq - 1))
    return Job(seed, score, seq, Versions(own, predecessor))
