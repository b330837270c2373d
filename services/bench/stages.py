"""Where the time of a chunk goes."""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from services.bench.channels import channels, turns
from services.bench.report import Row
from services.bench.samples import Samples, waiting
from services.synth.dsp.arrays import Device
from services.synth.renderer import Renderer

# The functions of each stage, not counting their calls into another one; all other time is the rest.
STAGES: Final[Mapping[str, Sequence[str]]] = {
    "voices and views": (
        "services.synth.mix.cast:Cast.soundings",
        "services.synth.mix.cast:Cast.build_ahead",
        "services.synth.mix.tape:Tape.upto",
    ),
    "arrangements": ("services.synth.mix.arrangement:Arranger.arrange",),
    "partials": ("services.synth.mix.layers:LayerRenderer.render",),
    "noise": (
        "services.synth.mix.hiss:Hisses.__init__",
        "services.synth.mix.hiss:Hisses.mixed",
        "services.synth.mix.hiss:Noise.on",
    ),
    "delay": (
        "services.synth.mix.space:SpaceRenderer._analyse_delay",
        "services.synth.mix.space:SpaceRenderer._echoes",
    ),
    "reverb": (
        "services.synth.mix.space:SpaceRenderer._analyse_room",
        "services.synth.mix.space:SpaceRenderer._wet",
    ),
    "master": (
        "services.synth.dsp.master:saturate",
        "services.synth.dsp.limiter:limit",
        "services.synth.dsp.master:dither",
        "services.synth.dsp.master:to_pcm",
    ),
}
REST: Final = "the rest"
_BATCH: Final = 8
_WARM_UP: Final = 3


class Stopwatch:
    """Seconds by stage; a call into another stage counts there."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait
        self._open: list[str] = []
        self._since = time.perf_counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Count the block's time towards ``stage``."""
        self._turn()
        self._open.append(stage)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        self._wait()
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


@contextmanager
def watched(watch: Stopwatch, stages: Mapping[str, Sequence[str]] = STAGES) -> Iterator[None]:
    """Measure every function of ``stages`` within the block."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for stage, targets in stages.items():
            for target in targets:
                owner, name = _found(target)
                before.append((owner, name, getattr(owner, name)))
                setattr(owner, name, _measured(before[-1][2], watch, stage))
        yield
    finally:
        for owner, name, function in reversed(before):
            setattr(owner, name, function)


def _found(target: str) -> tuple[Any, str]:
    """The module or class that holds ``module:Class.function``, and the function's name."""
    module, _, path = target.partition(":")
    *outer, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for step in outer:
        owner = getattr(owner, step)
    return owner, name


def _measured(function: Callable[..., Any], watch: Stopwatch, stage: str) -> Callable[..., Any]:
    @wraps(function)
    def measured(*arguments: Any, **named: Any) -> Any:
        with watch.running(stage):
            return function(*arguments, **named)

    return measured


def stage_rows(music_s: float, device: Device) -> list[Row]:
    """Percent of a batch's time by stage, in mid-piece."""
    audio = AudioFormat()
    renderer, played = Renderer(audio, device), channels(_BATCH, music_s, audio)
    work, rounds = turns(renderer, played, _BATCH), max(1, round(music_s * CHUNKS_PER_SECOND))
    shares: dict[str, list[float]] = {stage: [] for stage in (*STAGES, REST)}
    for number in range(_WARM_UP + rounds):
        watch = Stopwatch(waiting(device))
        with watched(watch), watch.running(REST):
            work()
        total = sum(watch.seconds.values())
        for stage in shares if number >= _WARM_UP else ():
            shares[stage].append(100 * watch.seconds[stage] / total)
    return [Row(f"share of time: {stage}", "%", Samples(tuple(found))) for stage, found in shares.items()]
