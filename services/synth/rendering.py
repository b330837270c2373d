"""Rendering on a device that may fail: from then on, on the CPU."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import structlog

from auralis.audio import AudioFormat
from services.synth.dsp import noise
from services.synth.dsp.arrays import CPU, Device
from services.synth.mix.space import DEFAULT_ROOM, design_rooms
from services.synth.renderer import Job, Renderer

_log = structlog.get_logger()

_REASON_LENGTH: Final = 200
_MOST_REASONS: Final = 100  # for skipped notes that are logged and remembered
_CALM_S: Final = 3.0


Prepare = Callable[[AudioFormat, Device], None]


class Renders(Protocol):
    """A renderer of jobs of one format on one device."""

    def render(self, jobs: Sequence[Job]) -> list[bytes]:
        """The PCM of each job."""
        ...

    def keep_up(self, job: Job, most: int) -> bool:
        """Render up to ``most`` chunks that later ones need of ``job`` and its past; True if that was all."""
        ...

    def build_ahead(self, jobs: Sequence[Job]) -> None:
        """Do some of the work that the chunks soon after ``jobs`` will need."""
        ...

    def take_skipped(self) -> Counter[str]:
        """How many notes could not be played since the last call, by reason."""
        ...


class Rendering:
    """A worker's renderers, one per format, on ``device``; ``lost`` is called when the device fails.

    ``prepare`` is called in the background, once per format and device, for what may be needed later.
    """

    def __init__(
        self,
        device: Device,
        lost: Callable[[], None],
        make: Callable[[AudioFormat, Device], Renders] = Renderer,
        prepare: Prepare = design_rooms,
    ) -> None:
        self.device = device
        self._lost = lost
        self._make = make
        self._prepare = prepare
        self._ready: set[tuple[AudioFormat, Device]] = set()
        self._begun_s: dict[tuple[AudioFormat, Device], float] = {}
        self.calm_s = _CALM_S
        self._renderers: dict[AudioFormat, Renders] = {}
        self._known: set[str] = set()

    def render(self, audio: AudioFormat, jobs: Sequence[Job]) -> list[bytes] | None:
        """The PCM of each job, or None if the device was lost or out of memory: then call again.

        The CPU renders from then on and needs the past of every channel again; so the caller first decides
        again what is most urgent.
        """
        with self._falling_back():
            chunks = self._renderer(audio).render(jobs)
            self.get_ready(audio)
            return chunks
        return None

    def keep_up(self, audio: AudioFormat, job: Job, most: int) -> bool | None:
        """Render up to ``most`` chunks that later ones need of ``job`` and its past; True if that was all.

        None if the device was lost or out of memory.
        """
        with self._falling_back():
            done = self._renderer(audio).keep_up(job, most)
            self.get_ready(audio)
            return done
        return None

    def build_ahead(self, audio: AudioFormat, jobs: Sequence[Job]) -> None:
        """Do some of the work that the chunks soon after ``jobs`` will need; always on the CPU."""
        self._renderer(audio).build_ahead(jobs)

    def take_skipped(self) -> int:
        """How many notes could not be played since the last call.

        Each of the first reasons is logged once; later ones are not logged, so that memory stays bounded.
        """
        skipped = sum((renderer.take_skipped() for renderer in self._renderers.values()), Counter[str]())
        new = [reason for reason in skipped if reason not in self._known]
        for reason in new[: _MOST_REASONS - len(self._known)]:
            _log.warning("note skipped", reason=reason)
            self._known.add(reason)
        return skipped.total()

    def get_ready(self, audio: AudioFormat) -> None:
        """Prepare what ``audio`` may need later: once, ``calm_s`` or more after the first call.

        So the first chunks do not wait for it, and an idle worker has it by the time it has to take over.
        """
        what, now_s = (audio, self.device), time.monotonic()
        since_s = self._begun_s.setdefault(what, now_s)
        if now_s - since_s >= self.calm_s and what not in self._ready:
            self._ready.add(what)
            prepare_in_background(self._prepare, *what)

    @contextmanager
    def _falling_back(self) -> Iterator[None]:
        """Continue on the CPU after a ``RuntimeError`` of a device; torch's ``OutOfMemoryError`` is one."""
        try:
            yield
        except RuntimeError as error:
            if self.device == CPU:
                raise
            self._fall_back(error)

    def _fall_back(self, error: RuntimeError) -> None:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:_REASON_LENGTH]
        _log.error("device lost, rendering on the CPU", device=self.device, reason=reason)
        self.device = CPU
        self._renderers.clear()
        self._lost()

    def _renderer(self, audio: AudioFormat) -> Renders:
        if audio not in self._renderers:
            self._renderers[audio] = self._make(audio, self.device)
        return self._renderers[audio]


def prepare_in_background(prepare: Prepare, audio: AudioFormat, device: Device) -> None:
    """Run ``prepare`` on its own thread.

    Not a daemon: a process that exits in the middle of torch's work aborts. It takes a second at most.
    """

    def work() -> None:
        try:
            prepare(audio, device)
        except RuntimeError as error:  # a failing device is noticed where chunks are rendered
            _log.debug("not got ready", device=device, reason=str(error))

    threading.Thread(target=work, name="get-ready").start()


def first_needed(audio: AudioFormat, device: Device) -> None:
    """Make the tables that every channel's first chunk needs; a worker does so while it connects."""
    design_rooms(audio, device, [DEFAULT_ROOM])
    noise.make_tables(audio)
