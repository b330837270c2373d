"""Rendering as on CUDA and Metal, tested on machines that have neither.

With torch on the CPU, which computes values, and on torch's device ``meta``, which has only shapes but shows
what is computed on another device.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torchgen
import yaml
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.events import Automation, Note, Space, Tempo
from auralis.score.score import Score
from services.synth.dsp import arrays
from services.synth.dsp.arrays import CPU, Device
from services.synth.patches.library import library
from services.synth.renderer import Job, Renderer
from services.synth.rendering import Rendering
from tests import by_torch
from tests.unit.synth.scores import FIRST, score_of

PLAIN = Versions(FIRST, FIRST)
RATES = pytest.mark.parametrize("audio", [AudioFormat(44_100), AudioFormat(48_000)], ids=str)
# Chunks at the changes of tempo, room and quality, and between them.
SEQS = [3, 4, 20, 24, 25, 41, 50, 51, 60]
# Operations that convert between arrays and tensors and compute nothing.
MOVES = {
    "lift_fresh",
    "detach",
    "permute",
    "numpy_T",
    "resolve_conj",
    "resolve_neg",
    "to",
    "unbind",
    "_to_copy",
}
# Kernels that serve every device.
ANY_DEVICE = (
    "CompositeImplicitAutograd",
    "CompositeExplicitAutograd",
    "CompositeExplicitAutogradNonFunctional",
)
# Metal has no double precision.
OF_METAL = {torch.float32, torch.complex64, torch.int32, torch.int64, torch.bool}


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays given to torch get memory of their own, as on an accelerator."""
    monkeypatch.setattr(arrays, "at", by_torch.uploaded)


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads from the device ``meta``, which has shapes but no data, are silence."""
    download = torch.Tensor.cpu

    def cpu(tensor: torch.Tensor) -> torch.Tensor:
        return torch.zeros(tensor.shape) if tensor.device.type == "meta" else download(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)


def eventful(audio: AudioFormat) -> Score:
    """A score with every patch, and changes of tempo, room and quality."""
    marks = [Tempo(0, 70.0), Space(audio.frames(2), "plate"), Tempo(audio.frames(4), 90.0)]
    quality = Automation(audio.frames(5), "quality", 0, 0.25)
    notes = [
        Note(audio.frames(0.3 * number), number, audio.frames(3), 60.0, 0.6, patch, layer)
        for number, patch in enumerate(library())
        for layer in ("pad", "melody")
    ]
    return score_of([*marks, quality, *notes], audio)


def rendered(
    score: Score, audio: AudioFormat, seqs: Sequence[int] = SEQS, device: Device = CPU
) -> list[bytes]:
    """The chunks ``seqs``, from a fresh renderer."""
    return Renderer(audio, device).render([Job(7, score, seq, PLAIN) for seq in seqs])


def samples(chunks: Sequence[bytes]) -> NDArray[np.int64]:
    """PCM as integers, in LSB."""
    return np.frombuffer(b"".join(chunks), "<i2").astype(np.int64)


class Apart(TorchDispatchMode):
    """Records operations whose tensors are on two devices, and operations on the CPU alone."""

    def __init__(self) -> None:
        super().__init__()
        self.mixed: set[str] = set()
        self.on_cpu: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors if tensor.dim()}
        if devices == {"cpu"}:
            self.on_cpu.add(func.overloadpacket.__name__)
        elif len(devices) > 1:
            self.mixed.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


class Asked(TorchDispatchMode):
    """Records every operation, by its name in torch's list of functions, and the types of its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: set[str] = set()
        self.types: set[torch.dtype] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        found = func(*args, **(kwargs or {}))
        self.functions.add(str(func).removeprefix("aten.").removesuffix(".default"))
        leaves = tree_leaves((args, kwargs, found))
        self.types |= {leaf.dtype for leaf in leaves if isinstance(leaf, torch.Tensor)}
        return found


def kernels() -> dict[str, set[str]]:
    """The devices for which torch has each of its functions; a function without any is composed of others."""
    listed = Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml"
    functions = {each["func"].split("(")[0]: each for each in yaml.safe_load(listed.read_text())}

    def of(name: str) -> set[str]:
        function = functions[name]
        delegate = function.get("structured_delegate")
        own = {device.strip() for devices in function.get("dispatch", ()) for device in devices.split(",")}
        return (own | of(delegate) if delegate else own) or {ANY_DEVICE[0]}

    return {name: of(name) for name in functions}


@RATES
@pytest.mark.usefixtures("downloads")
def test_everything_is_computed_on_the_device(audio: AudioFormat) -> None:
    """Tables are uploaded, the mix is downloaded; no operation in between involves the CPU."""
    renderer = Renderer(audio, "meta")
    with Apart() as seen:
        renderer.render([Job(7, eventful(audio), seq, PLAIN) for seq in SEQS])
    assert seen.mixed == set()
    assert seen.on_cpu <= MOVES


@RATES
def test_an_accelerator_plays_what_the_cpu_plays(audio: AudioFormat) -> None:
    """Within one LSB, and in 99 of 100 samples to the bit."""
    score = eventful(audio)
    expected = samples(rendered(score, audio))
    off = np.abs(samples(rendered(score, audio, device=by_torch.DEVICE)) - expected)
    assert off.max() <= 1
    assert np.mean(off > 0) < 0.01
    assert np.abs(expected).max() > 3000


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_bytes_of_an_accelerator_do_not_depend_on_the_batch(batch: int) -> None:
    """Neither on its size nor on its order, nor on where a worker takes over."""
    audio, seqs = AudioFormat(), list(range(20, 56))
    score, renderer = eventful(audio), Renderer(audio, by_torch.DEVICE)
    expected = [renderer.render([Job(7, score, seq, PLAIN)])[0] for seq in seqs]
    random.Random(batch).shuffle(seqs)  # noqa: S311  an order, no secret
    other = Renderer(audio, by_torch.DEVICE)
    for first in range(0, len(seqs), batch):
        some = seqs[first : first + batch]
        chunks = other.render([Job(7, score, seq, PLAIN) for seq in some])
        assert chunks == [expected[seq - 20] for seq in some]


@RATES
def test_torch_has_every_operation_for_metal(audio: AudioFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    """According to its own list of functions, and in types that Metal has."""
    score = eventful(audio)
    # Without inference mode, which does not decompose composite functions.
    monkeypatch.setattr(arrays, "computing", lambda _device: torch.no_grad())
    with Asked() as asked:
        rendered(score, audio, device=by_torch.DEVICE)
    there = kernels()
    assert {"bmm", "_fft_c2r", "_embedding_bag_forward_only"} <= asked.functions
    assert {name for name in asked.functions if there[name].isdisjoint({"MPS", *ANY_DEVICE})} == set()
    assert asked.types <= OF_METAL


def test_a_device_that_is_lost_in_mid_note_is_not_heard() -> None:
    """Chunks come from the accelerator, then, from the first one that it failed to render, from the CPU."""
    audio, lost = AudioFormat(), list[bool]()
    score = eventful(audio)
    expected = rendered(score, audio, range(20, 40))

    class Failing(Renderer):
        """The accelerator runs out of memory in the middle of chunk 30."""

        def render(self, jobs: Sequence[Job]) -> list[bytes]:
            chunks = super().render(jobs)
            if not lost and jobs[0].seq == 30:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return chunks

    rendering = Rendering(by_torch.DEVICE, lambda: lost.append(True), Failing, lambda *_: None)
    found = list[bytes]()
    while len(found) < len(expected):
        found += rendering.render(audio, [Job(7, score, 20 + len(found), PLAIN)]) or []
    assert lost == [True]
    assert found[10:] == expected[10:]
    assert np.abs(samples(found[:10]) - samples(expected[:10])).max() <= 1
