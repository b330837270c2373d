"""``score.mid``: what was just heard on a channel, as a MIDI file from the score log."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web

from auralis.audio import AudioFormat, live_seq
from auralis.channel.state import Channels
from auralis.errors import InvalidValue
from auralis.midi.file import MEDIA_TYPE, midi_of
from auralis.score.entry_id import EntryId
from auralis.score.events import Chord
from auralis.score.log import LogEntry, ScoreReader
from auralis.score.score import Score
from auralis.score.stretch import Stretch, stretch_of
from auralis.timing import SCORE_RETENTION_MS
from services.gateway.hub import Hub
from services.gateway.limits import RateLimit
from services.gateway.problems import too_many
from services.gateway.visitors import visitor_of

DEFAULT_MINUTES: Final = 5.0
MAX_MINUTES: Final = SCORE_RETENTION_MS // 60_000
# Python's float() takes more than that: other scripts' digits, underscores, signs, exponents.
_DECIMAL: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
# Reading an hour of log takes a tenth of a second, and nobody needs many files.
EXPORTS_PER_S: Final = 0.5
EXPORTS_BURST: Final = 10.0
# What sounds or is in force at the start was written at most this long before: all marks are repeated every
# minute, and no note or chord is longer than two.
_LOOKBACK_MS: Final = 120_000
# How much earlier than asked for a stretch may begin, so that it begins with a chord.
_EARLIEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ScoreExport:
    """The handler. Files are made one at a time in a thread: no listener waits for them."""

    hub: Hub
    channels: Channels
    scores: ScoreReader
    exports: RateLimit
    _one: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def routes(self) -> list[web.RouteDef]:
        """The export's route."""
        return [web.get("/api/v1/channels/{channel:[^/]+}/score.mid", self.midi)]

    async def midi(self, request: web.Request) -> web.Response:
        """What was heard in the last ``minutes`` as a file to keep."""
        minutes = checked_minutes(request.query.get("minutes"))
        wait_s = self.exports.take(visitor_of(request).peer)
        if wait_s:
            raise too_many(wait_s, "exports")
        channel = request.match_info["channel"]
        async with self._one:
            data = await self._exported(channel, minutes)
        return web.Response(
            body=data,
            content_type=MEDIA_TYPE,
            headers={
                hdrs.CACHE_CONTROL: "no-store",
                hdrs.CONTENT_DISPOSITION: f'attachment; filename="auralis-{channel}.mid"',
            },
        )

    async def _exported(self, channel: str, minutes: float) -> bytes:
        state = await self.channels.state(channel)
        audio, now_us = AudioFormat(state.sample_rate_hz), self.hub.clock.now_us()
        live_frame = audio.start_frame(max(0, live_seq(state.epoch_us, now_us)))
        oldest_ms = now_us // 1000 - round(minutes * 60_000) - _LOOKBACK_MS
        entries = await self.scores.read(channel, after=EntryId(max(0, oldest_ms), 0))
        wanted = audio.frames(minutes * 60)
        return await asyncio.to_thread(
            lambda: midi_of(heard(entries, audio, live_frame, wanted), f"Auralis {channel}")
        )


def checked_minutes(text: str | None) -> float:
    """The query's ``minutes``.

    Raises:
        InvalidValue: it is not a number, not positive, or more than the log holds.
    """
    if text is None:
        return DEFAULT_MINUTES
    if not (_DECIMAL.fullmatch(text) and 0 < float(text) <= MAX_MINUTES):
        raise InvalidValue("minutes", text, f"a number, more than 0, at most {MAX_MINUTES}")
    return float(text)


def heard(entries: list[LogEntry], audio: AudioFormat, live_frame: int, wanted_frames: int) -> Stretch:
    """The ``wanted_frames`` before ``live_frame``, extended back to a chord, to align the bar lines."""
    score = Score()
    for entry in entries:
        score.apply(*entry)
    view = score.view()
    start = max(0, score.from_frame, live_frame - wanted_frames)
    chord = view.in_force(Chord, start)
    if chord is not None and start - chord.at_frame <= audio.frames(_EARLIEST_S):
        start = chord.at_frame
    # Stop at the score's end: nobody hears the chord held beyond it, as the channel is asleep.
    return stretch_of(view, audio, start, max(start, min(live_frame, score.until_frame)))
