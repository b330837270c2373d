"""The check behind every test of running workers: the ring holds what the log says, byte for byte."""

from collections.abc import Mapping

from redis.asyncio import Redis

from auralis.audio import AudioFormat
from auralis.keyspace import Keyspace
from auralis.ring.versions import Versions
from auralis.score.log import ScoreReader
from auralis.score.score import Score
from auralis.wire import unpack
from services.synth.dsp.arrays import Device
from services.synth.renderer import Job, Renderer
from tests.device import DEVICE


async def score_of(client: Redis, keys: Keyspace, channel: str = "main") -> Score:
    """The score as the log has it now."""
    score = Score()
    for entry in await ScoreReader(client, keys).read(channel):
        score.apply(entry.id, entry.batch)
    return score


def assert_as_offline(
    frozen: Mapping[int, tuple[bytes, Versions]],
    score: Score,
    seed: int,
    audio: AudioFormat,
    device: Device = DEVICE,
) -> None:
    """Contiguous seqs, and every chunk's bytes are a function of the log and the stored versions."""
    seqs = sorted(frozen)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    renderer = Renderer(audio, device)
    for seq in seqs:
        frame, versions = frozen[seq]
        (pcm,) = renderer.render([Job(seed, score, seq, versions)])
        assert bytes(unpack(frame)[1]) == pcm, seq
