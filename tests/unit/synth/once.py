"""Audio for the start-up test, from a process that has just begun; imports only what rendering needs."""

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from services.synth.dsp.arrays import Device
from services.synth.renderer import Job, Renderer
from tests.unit.synth.scores import FIRST, phrase, score_of


def rendered(device: Device) -> bytes:
    """Three chunks in mid-piece."""
    audio = AudioFormat()
    score = score_of(phrase(audio), audio)
    jobs = [Job(5, score, seq, Versions(FIRST, FIRST)) for seq in range(9, 12)]
    return b"".join(Renderer(audio, device).render(jobs))
