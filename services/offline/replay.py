"""What listeners heard, computed once more from the score log alone."""

from collections.abc import Iterable, Iterator

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.score import Score
from services.synth.renderer import Job, Renderer


def replay(score: Score, seed: int, audio: AudioFormat, seqs: Iterable[int]) -> Iterator[bytes]:
    """The PCM of each chunk of ``seqs`` as the finished ``score`` makes it.

    That is what was streamed, byte for byte, as long as no chunk froze before a change reached it and the
    ring did not begin anew.
    """
    renderer = Renderer(audio)
    for seq in seqs:
        own, predecessor = (score.version_for(audio.end_frame(n)) for n in (seq, seq - 1))
        yield renderer.render([Job(seed, score, seq, Versions(own, predecessor))])[0]
