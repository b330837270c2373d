"""Channels in mid-piece, as a worker renders them."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import count, pairwise
from typing import Final

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.controls import Controls
from auralis.ring.versions import Versions
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch
from auralis.score.score import Score
from services.bench.report import Row
from services.bench.samples import Samples, interleaved, timed, waiting
from services.offline.piece import composed
from services.synth.dsp.arrays import Device
from services.synth.renderer import Job, Renderer

# A minute into the piece every layer has come in.
FIRST_SEQ: Final = 60 * CHUNKS_PER_SECOND
_REST_S: Final = 20  # a piece dies away at its end
# Beyond this many, channels share pieces, but each renders its piece with its own seed.
_PIECES: Final = 32
_CHUNK_MS: Final = 1000 / CHUNKS_PER_SECOND
_MS_GOAL: Final = "at most 2"
_P99_GOAL: Final = "p99 at most 20"
_LATENCY_CHANNELS: Final = 8


class Channel:
    """A channel that plays a piece of the composer."""

    def __init__(self, seed: int, score: Score, audio: AudioFormat) -> None:
        self._seed = seed
        self._score = score
        self._audio = audio

    def job(self, seq: int) -> Job:
        """The job that renders chunk ``seq``."""
        own, predecessor = (self._score.version_for(self._audio.end_frame(n)) for n in (seq, seq - 1))
        return Job(self._seed, self._score, seq, Versions(own, predecessor))


def piece(seed: int, music_s: float, audio: AudioFormat) -> Batch:
    """A piece of which ``music_s`` seconds can be rendered from :data:`FIRST_SEQ` on."""
    return composed(seed, Controls(), FIRST_SEQ / CHUNKS_PER_SECOND + music_s + _REST_S, audio)


def written(whole: Batch, audio: AudioFormat) -> Score:
    """A piece as a score in entries of one second each, much as the composer writes it live."""
    score, onsets = Score(), [event.at_frame for event in whole.events]
    borders = [*range(whole.from_frame, whole.until_frame, audio.sample_rate_hz), whole.until_frame]
    for number, (start, end) in enumerate(pairwise(borders), 1):
        events = whole.events[bisect_left(onsets, start) : bisect_left(onsets, end)]
        score.apply(EntryId(number, 0), Batch(whole.revision, start, end, events))
    return score


def channels(number: int, music_s: float, audio: AudioFormat) -> list[Channel]:
    """``number`` channels, each with a score of its own."""
    pieces = [piece(seed, music_s, audio) for seed in range(min(number, _PIECES))]
    return [Channel(seed, written(pieces[seed % len(pieces)], audio), audio) for seed in range(number)]


def turns(renderer: Renderer, all_: list[Channel], batch: int) -> Callable[[], object]:
    """A function that renders the next ``batch`` chunks, channel by channel, at each call."""
    places = count()

    def work() -> object:
        first = next(places) * batch
        wanted = [divmod(place, len(all_)) for place in range(first, first + batch)]
        jobs = [all_[channel].job(FIRST_SEQ + seq) for seq, channel in wanted]
        chunks = renderer.render(jobs)
        renderer.build_ahead(jobs)
        return chunks

    return work


def mix_rows(sizes: list[int], music_s: float, device: Device) -> list[Row]:
    """Render time per channel's chunk by batch size; every size renders the same chunks of the same channels.

    The ratio to real time is the number of channels that one core can play.
    """
    audio, wait = AudioFormat(), waiting(device)
    played = channels(max(sizes), music_s, audio)
    rounds = max(1, round(music_s * CHUNKS_PER_SECOND))
    steps = {size: len(played) // size for size in sizes}

    def measure(size: int) -> Callable[[], float]:
        return timed(turns(Renderer(audio, device), played, size), wait)

    once = {f"{size}": measure(size) for size in sizes}
    # A round is one chunk of every channel in every batch size.
    several = {f"{size}/{step}": once[f"{size}"] for size in sizes for step in range(steps[size])}
    found = interleaved(several, rounds, warm_up=2)
    by_size = {
        size: Samples(tuple(v for step in range(steps[size]) for v in found[f"{size}/{step}"].values))
        for size in sizes
    }
    return [row for size, samples in by_size.items() for row in _rows(size, samples)]


def _rows(size: int, samples: Samples) -> list[Row]:
    each = samples.scaled(1000 / size)
    name = f"full mix, batch {size}"
    rows = [Row(f"{name}: a channel's chunk", "ms", each, "real time", _CHUNK_MS / each.median, _MS_GOAL)]
    if size == _LATENCY_CHANNELS:
        rows.append(Row(f"{name}: until all are there", "ms", samples.scaled(1000), goal=_P99_GOAL))
    return rows
