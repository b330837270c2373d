"""What listeners heard, computed once more from the score log alone."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.score import Score
from services.synth.dsp.arrays import CPU, Device
from services.synth.renderer import Job, Renderer

# Chunks that are rendered together: faster, and the same bytes.
_AT_ONCE: Final = 16


def replay(
    score: Score, seed: int, audio: AudioFormat, seqs: Iterable[int], device: Device = CPU
) -> Iterator[bytes]:
    """The PCM of each chunk of ``seqs`` as the finished ``score`` makes it.

    That is what was streamed, byte for byte, as long as no chunk froze before a change reached it and the
    ring did not begin anew, and as it is streamed by workers on the same kind of ``device``.
    """
    renderer = Renderer(audio, device)
    jobs = (_job(score, seed, audio, seq) for seq in seqs)
    while some := list(islice(jobs, _AT_ONCE)):
        yield from renderer.render(some)


def _job(score: Score, seed: int, audio: AudioFormat, seq: int) -> Job:
    own, predecessor = (score.version_for(audio.end_frame(n)) for n in (seq, seq - 1))
    return Job(seed, score, seq, Versions(own, predecessor))
