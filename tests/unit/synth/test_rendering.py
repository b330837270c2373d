"""A device that fails: from then on the CPU renders."""

import threading
from collections.abc import Sequence

import pytest
import torch
from structlog.testing import capture_logs

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.events import Note
from auralis.score.score import Score
from services.synth.dsp import noise
from services.synth.dsp.arrays import Device
from services.synth.mix import space
from services.synth.renderer import Job, Renderer
from services.synth.rendering import Rendering, first_needed
from tests.unit.synth.scores import FIRST, phrase, score_of

AUDIO = AudioFormat()
CUDA = "cuda"
PLAIN = Versions(FIRST, FIRST)
FAILURES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ..."),
    torch.AcceleratorError("CUDA error: device-side assert triggered"),
    RuntimeError("MPS backend out of memory"),
]


class Failing(Renderer):
    """Renders on the CPU, whatever the device; but for CUDA it raises ``error`` at its ``last`` batch."""

    def __init__(self, audio: AudioFormat, device: Device, error: RuntimeError, last: int) -> None:
        super().__init__(audio)
        self.left = last if device == "cuda" else None
        self.error = error

    def render(self, jobs: Sequence[Job]) -> list[bytes]:
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                super().render(jobs[:1])  # it fails halfway
                raise self.error
        return super().render(jobs)


class Losses:
    """Counts the reports of lost devices."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def nothing(_audio: AudioFormat, _device: Device) -> None:
    """Prepare nothing."""


def jobs(score: Score, first: int, count: int = 3) -> list[Job]:
    return [Job(7, score, seq, PLAIN) for seq in range(first, first + count)]


def rendered(rendering: Rendering, audio: AudioFormat, batch: list[Job]) -> list[bytes]:
    """As a worker does it: what was not rendered is asked for again."""
    found = rendering.render(audio, batch) or rendering.render(audio, batch)
    assert found is not None
    return found


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("last", [1, 3])
def test_the_cpu_renders_what_a_lost_device_does_not(error: RuntimeError, last: int) -> None:
    """No chunk is missing or different; the loss is logged and counted once."""
    score, losses = score_of(phrase(AUDIO), AUDIO), Losses()
    rendering = Rendering(
        CUDA, losses, lambda audio, device: Failing(audio, device, error, last), prepare=nothing
    )
    with capture_logs() as logs:
        batches = [rendered(rendering, AUDIO, jobs(score, first)) for first in range(0, 15, 3)]
    assert [chunk for batch in batches for chunk in batch] == Renderer(AUDIO).render(jobs(score, 0, 15))
    assert rendering.device == "cpu"
    assert losses.count == 1
    assert [(entry["event"], entry["device"]) for entry in logs] == [
        ("device lost, rendering on the CPU", "cuda")
    ]
    assert "\n" not in logs[0]["reason"]


def test_a_device_on_which_no_renderer_can_be_made_is_lost() -> None:
    """Making the renderer allocates the first memory."""

    def make(audio: AudioFormat, device: Device) -> Renderer:
        if device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return Renderer(audio, device)

    rendering = Rendering(CUDA, Losses(), make, prepare=nothing)
    score = score_of(phrase(AUDIO), AUDIO)
    assert rendering.render(AUDIO, jobs(score, 0)) is None
    assert rendering.render(AUDIO, jobs(score, 0)) == Renderer(AUDIO).render(jobs(score, 0))


def test_a_device_that_fails_while_keeping_up_is_lost() -> None:
    """The past rendered so far has to be rendered again, on the CPU."""

    class Lost(Renderer):
        def keep_up(self, *_job_and_most: object) -> bool:
            raise FAILURES[0]

    losses = Losses()
    rendering = Rendering(
        CUDA,
        losses,
        lambda audio, device: Lost(audio) if device == "cuda" else Renderer(audio),
        prepare=nothing,
    )
    (job,) = jobs(score_of(phrase(AUDIO), AUDIO), 5, 1)
    assert rendering.keep_up(AUDIO, job, 100) is None
    assert rendering.keep_up(AUDIO, job, 100) is True
    assert losses.count == 1


def test_all_formats_leave_the_lost_device() -> None:
    """A renderer of another format is on the same device: it is replaced as well."""
    error, losses = FAILURES[0], Losses()
    rendering = Rendering(
        CUDA, losses, lambda audio, device: Failing(audio, device, error, 2), prepare=nothing
    )
    other = AudioFormat(48_000)
    for audio in (AUDIO, other, AUDIO, other):
        rendered(rendering, audio, jobs(score_of(phrase(audio), audio), 0))
    assert losses.count == 1


def test_an_error_on_the_cpu_is_not_hidden() -> None:
    """There is nothing to fall back to; the supervisor restarts the worker."""

    class Broken(Renderer):
        def render(self, jobs: Sequence[Job]) -> list[bytes]:
            raise RuntimeError(f"a defect in {len(jobs)} jobs")

    losses = Losses()
    with pytest.raises(RuntimeError, match="a defect"):
        Rendering("cpu", losses, Broken).render(AUDIO, [])
    assert losses.count == 0


def test_skipped_notes_are_counted_and_their_reason_logged_once() -> None:
    score = score_of([Note(0, number, 44_100, 60.0, 0.5, "kazoo", "pad") for number in range(5)], AUDIO)
    rendering = Rendering("cpu", Losses())
    with capture_logs() as logs:
        rendering.render(AUDIO, jobs(score, 0))
        assert rendering.take_skipped() == 5
        rendering.render(AUDIO, jobs(score_of([*score.view().notes(0, 1)], AUDIO), 0))
        assert rendering.take_skipped() == 0
    assert [entry["reason"] for entry in logs] == ["no patch 'kazoo'"]


def test_only_the_first_hundred_reasons_are_logged_and_remembered() -> None:
    """A score that names a new patch in every note fills neither log nor memory; all notes are counted."""
    rendering = Rendering("cpu", Losses())
    with capture_logs() as logs:
        for first in (0, 70, 140):
            numbers = range(first, first + 70)
            notes = [Note(0, number, 44_100, 60.0, 0.5, f"kazoo {number}", "pad") for number in numbers]
            rendering.render(AUDIO, jobs(score_of([*notes], AUDIO), 0, 1))
            assert rendering.take_skipped() == 70
    assert len(logs) == len({entry["reason"] for entry in logs}) == 100
    assert len(rendering._known) == 100


def test_rooms_are_ready_once_something_was_rendered() -> None:
    """In the background, once per format; a failure there goes unreported: rendering will meet it."""
    told, done = list[tuple[AudioFormat, Device]](), threading.Event()

    def prepare(audio: AudioFormat, device: Device) -> None:
        told.append((audio, device))
        done.set()
        raise RuntimeError("no memory left")

    score = score_of(phrase(AUDIO), AUDIO)
    rendering = Rendering("cpu", Losses(), prepare=prepare)
    rendering.calm_s = 0
    for seq in range(3):
        assert rendering.render(AUDIO, jobs(score, seq, 1)) is not None
    assert done.wait(5)
    assert told == [(AUDIO, "cpu")]


def test_rooms_are_ready_even_if_nothing_was_rendered_yet() -> None:
    """An idle worker may have to take over a channel in any room."""
    done, prepared = threading.Event(), list[AudioFormat]()

    def prepare(audio: AudioFormat, _device: Device) -> None:
        prepared.append(audio)
        done.set()

    rendering = Rendering("cpu", Losses(), prepare=prepare)
    rendering.get_ready(AUDIO)
    assert prepared == []  # not at once: the worker may have chunks to render
    rendering.calm_s = 0
    for _ in range(3):
        rendering.get_ready(AUDIO)
    assert done.wait(5)
    assert prepared == [AUDIO]


def test_tables_for_the_first_chunk_are_made_beforehand() -> None:
    """Rendering a phrase makes no noise table and designs no room."""
    first_needed(AUDIO, "cpu")
    made = noise._tables.cache_info().currsize, space._room.cache_info().currsize
    assert len(noise._tables(AUDIO, None).firsts) == noise.BANDS
    assert Renderer(AUDIO).render(jobs(score_of(phrase(AUDIO), AUDIO), 5, 1))
    assert (noise._tables.cache_info().currsize, space._room.cache_info().currsize) == made
