"""The synth worker: follows the score of its channels, renders what the ring lacks, pushes it."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from auralis.audio import AudioFormat
from auralis.broker import BROKER_ERRORS, reason
from auralis.channel.share import Link, Round, Share
from auralis.channel.state import Channels
from auralis.errors import ChannelNotFound
from auralis.ring.reader import RingReader
from auralis.ring.writer import Outcome, PushReply, RingWriter
from auralis.score.log import ScoreReader
from services.synth.dsp.arrays import Device
from services.synth.ladder import Condition, Ladder, Load
from services.synth.memory import give_back, is_due, resident_bytes
from services.synth.metrics import SynthMetrics
from services.synth.pace import Pace
from services.synth.quality import WHOLE
from services.synth.renderer import Job
from services.synth.rendering import Rendering
from services.synth.schedule import Run
from services.synth.shadows import Shadows
from services.synth.tracked import TrackedChannel, Work, most_urgent

_log = structlog.get_logger()

# A full ring has room for a chunk after 100 ms; looking more often keeps it at its full depth.
_TICK_S: Final = 0.03
# A worker that gets a channel has to render its past first: for this long the previous one goes on as well.
# Of two workers' chunks the ring takes whichever come first; they are the same.
_HAND_OVER_S: Final = 3.0
# Even a worker that always has more to render looks at everything this often.
_ROUND_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Collaborators(Link):
    """The collaborators of a worker."""

    metrics: SynthMetrics
    device: Device
    # The format that new channels are created with.
    audio: AudioFormat


class Worker:
    """One process's share of the channels."""

    def __init__(self, name: str, parts: Collaborators) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._metrics = parts.metrics
        self._share = Share("synth", name, parts)
        self._channels = Channels(parts.client, parts.keys)
        self._scores = ScoreReader(parts.client, parts.keys)
        self._ring_reader = RingReader(parts.client, parts.keys)
        self._ring = RingWriter(parts.client, parts.keys)
        self._shadows = Shadows(parts)
        self._pace = Pace()
        self._load = Load(time.monotonic())
        self._ladder = Ladder()
        self._tidied_s = time.monotonic()
        self._tracked: dict[str, TrackedChannel] = {}
        # The latest job of each channel since voices were last built ahead.
        self._last_jobs: dict[str, tuple[AudioFormat, Job]] = {}
        self._engine = Rendering(parts.device, lost=parts.metrics.device_fallbacks.inc)
        # One thread: the bits of a product depend on how it is split, and the loop stays free for renewals.
        self._rendering = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")

    async def stand_by(self, called: Coroutine[Any, Any, None]) -> None:
        """Hold no channel, but keep up with those of other workers, until ``called`` is done."""
        async with asyncio.TaskGroup() as tasks:
            keeping, waiting = tasks.create_task(self._clock.keep()), tasks.create_task(called)
            while not waiting.done():
                self._idle()
                await self._tidy()
                try:
                    await self._shadow()
                except BROKER_ERRORS as error:
                    _log.debug("not kept up", reason=reason(error))
                await asyncio.wait({waiting}, timeout=_TICK_S)
            keeping.cancel()

    async def run(self) -> None:
        """Work until cancelled; then leave the group, so that the other workers take over at once."""
        await self._share.keep(self._render_all, on_broker_error=self._lost, tick_s=_TICK_S)

    async def _render_all(self, round_: Round) -> None:
        await self._track()
        await self._follow(round_.announces("score"), round_.everything)
        if round_.everything:
            await self._judge()
            self._idle()
        await self._tidy()
        began_s, wakeups = time.monotonic(), self._parts.wakeups
        while await self._render_most_urgent():
            # A revision has to be rendered within 100 ms: it must not wait until the ring is full.
            if wakeups.announced:
                wakeups.nudge()
                return
            if time.monotonic() - began_s > _ROUND_S:
                wakeups.nudge()
                break
        await self._build_ahead()
        await self._shadow()

    async def _build_ahead(self) -> None:
        """Build the voices that begin soon after the last chunks, once these are in the ring."""
        if self._last_jobs:
            last_jobs, self._last_jobs = [*self._last_jobs.values()], {}
            began_s = time.perf_counter()
            await asyncio.get_running_loop().run_in_executor(self._rendering, self._build, last_jobs)
            self._load.rendered(time.perf_counter() - began_s)

    def _idle(self) -> None:
        """If no channel plays here, get ready to take one over: it may be in any room."""
        if not self._awake():
            self._engine.get_ready(self._parts.audio)

    async def _shadow(self) -> None:
        """Keep up with a channel of another worker, a piece at a time, when there is nothing else to do."""
        shadow = await self._shadows.due(self._tracked.keys())
        if shadow is None or self._parts.wakeups.announced:
            return
        work = partial(self._engine.keep_up, shadow.channel.audio, shadow.job, shadow.most)
        done = await asyncio.get_running_loop().run_in_executor(self._rendering, work)
        self._engine.take_skipped()  # the worker that plays the channel counts them
        if done is None:
            self._forget_rendered()
        elif done:
            shadow.done()

    async def _tidy(self) -> None:
        """Give memory back that many channels leave scattered, even when there is no time to spare."""
        now_s = time.monotonic()
        if is_due(now_s - self._tidied_s, resident_bytes()):
            self._tidied_s = now_s
            await asyncio.get_running_loop().run_in_executor(self._rendering, give_back)

    def _lost(self) -> None:
        for channel in self._tracked.values():
            channel.ring_unknown, channel.steady_seq = True, None

    async def _track(self) -> None:
        """Take on and drop channels as the membership says."""
        held, now_s = self._share.held, time.monotonic()
        for channel in [*self._tracked.values()]:
            if channel.id in held:
                channel.own_s = now_s
            elif now_s - channel.own_s > _HAND_OVER_S:
                self._drop(channel.id)
        for new in held - self._tracked.keys():
            try:
                self._tracked[new] = self._shadows.take(await self._channels.state(new))
                self._tracked[new].own_s = now_s
                self._metrics.quality.labels(new).set(WHOLE.value)
            except ChannelNotFound:
                _log.debug("channel is gone", channel=new)
        self._metrics.follow(self._share.membership, len(self._tracked), self._scores.rejected)

    async def _follow(self, woken: set[str], everything: bool) -> None:
        """Read new entries of the scores that were announced, and of all scores once a second."""
        now_us = self._clock.now_us()
        for channel in self._awake():
            if channel.ring_unknown or everything or channel.id in woken:
                for entry in await self._scores.read(channel.id, after=channel.score.last_id):
                    channel.score.apply(entry.id, entry.batch)
            self._metrics.deadline_misses.inc(channel.missed(now_us))
            if everything:
                channel.forget(now_us)
        await self._look_again()

    async def _judge(self) -> None:
        """Report each channel's quality, and ask for another one where the ladder decides so."""
        conditions = {}
        for channel in self._awake():
            self._say_quality(channel)
            conditions[channel.id] = Condition(channel.quality, channel.missing, channel.late)
            channel.missing = channel.late = 0
        now_s = time.monotonic()
        load = self._load.look(now_s)
        self._pace.spent(load)
        self._shadows.spare.spent(load)
        for name, quality in self._ladder.decide(now_s, load, conditions).items():
            _, missing, late = conditions[name]
            trouble = {"load": round(load, 2), "missing": missing, "late": late}
            _log.info("asking for quality", channel=name, quality=quality, **trouble)
            await self._channels.ask_quality(name, quality, self._tracked[name].unrendered_seq)

    def _say_quality(self, channel: TrackedChannel) -> None:
        if channel.quality != channel.said_quality:
            channel.said_quality = channel.quality
            self._metrics.quality.labels(channel.id).set(channel.quality)
            _log.warning("quality changed", channel=channel.id, quality=channel.quality)

    async def _render_most_urgent(self) -> bool:
        """Render one batch and push it; False if there is nothing to do, or the ring has no room yet."""
        now_us, began_s = self._clock.now_us(), time.perf_counter()
        awake = self._awake()
        chunks = self._pace.chunks(sum(channel.is_urgent(now_us) for channel in awake))
        work = most_urgent(awake, now_us, self._pace.batch_us, chunks)
        if not work:
            return False
        pcm = await self._render(work, cold=work[0][0].is_cold(now_us))
        if pcm is None:
            self._forget_rendered()
            return True
        replies = await asyncio.gather(
            *(
                self._ring.push(channel.id, channel.epoch_us, run.first_seq, channel.chunks(run, chunks))
                for (channel, run), chunks in zip(work, pcm, strict=True)
            )
        )
        lasted_s = time.perf_counter() - began_s
        for (channel, run), reply in zip(work, replies, strict=True):
            self._take_reply(channel, run, reply, lasted_s)
        await self._look_again()
        return any(reply.outcome is not Outcome.AHEAD for reply in replies)

    def _forget_rendered(self) -> None:
        """Forget what was rendered of the past: it was lost with the device."""
        for channel in self._tracked.values():
            channel.rendered_seq = None
        self._shadows.forget()

    async def _look_again(self) -> None:
        """Read the versions in rings that were not as believed, before anything else is rendered."""
        for channel in self._awake():
            if channel.ring_unknown:
                channel.ring.held = await self._ring_reader.versions(channel.id)
                channel.ring_unknown = False
                channel.forget(self._clock.now_us())  # every view of an hour-long log would be slow

    async def _render(self, work: list[Work], *, cold: bool) -> list[list[bytes]] | None:
        """The PCM of each run; None if the device was lost."""
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        pcm = await loop.run_in_executor(self._rendering, self._render_runs, work)
        if pcm is not None:
            self._note(work, time.perf_counter() - started, cold=cold)
        return pcm

    def _note(self, work: list[Work], elapsed: float, *, cold: bool) -> None:
        """Note a batch and its time; the time of a ``cold`` channel tells nothing about the next batch."""
        chunks = sum(len(run.versions) for _, run in work)
        if cold:
            self._load.caught_up(elapsed)
        else:
            self._load.rendered(elapsed)
            self._pace.took(elapsed, chunks, again=any(channel.rerenders(run) for channel, run in work))
        for channel, run in work:
            channel.rendered_seq = run.last_seq
            self._last_jobs[channel.id] = channel.audio, channel.jobs(run)[-1]
        self._metrics.rendered(chunks, elapsed)
        self._metrics.skipped_notes.inc(self._engine.take_skipped())

    def _render_runs(self, work: list[Work]) -> list[list[bytes]] | None:
        rendered: dict[int, list[bytes]] = {}
        for audio in {channel.audio for channel, _ in work}:
            mine = [(i, c.jobs(run)) for i, (c, run) in enumerate(work) if c.audio == audio]
            chunks = self._engine.render(audio, [job for _, jobs in mine for job in jobs])
            if chunks is None:
                return None
            pcm = iter(chunks)
            rendered |= {i: [next(pcm) for _ in jobs] for i, jobs in mine}
        return [rendered[i] for i in range(len(work))]

    def _build(self, last_jobs: list[tuple[AudioFormat, Job]]) -> None:
        for audio in {audio for audio, _ in last_jobs}:
            self._engine.build_ahead(audio, [job for its, job in last_jobs if its == audio])

    def _take_reply(self, channel: TrackedChannel, run: Run, reply: PushReply, lasted_s: float) -> None:
        again = channel.rerenders(run)
        if reply.outcome is Outcome.OK:
            channel.ring.pushed(run)
            self._metrics.pushed(len(run.versions), lasted_s, again=again)
            return
        self._metrics.refused.labels(reply.outcome.value).inc()
        if reply.outcome is Outcome.EPOCH:  # deleted or recreated: start again from its state
            self._drop(channel.id)
        channel.ring_unknown = True

    def _drop(self, channel: str) -> None:
        if self._tracked.pop(channel, None) is not None:
            self._metrics.quality.remove(channel)

    def _awake(self) -> list[TrackedChannel]:
        return [c for c in self._tracked.values() if self._share.awake(c.id, always_on=c.always_on)]
