"""The tape: what was rendered for a channel's last chunks and its delay, room and limiter still need.

All of it can be rendered again from the score, so the tape is a cache, never a source of truth. A chunk is
kept once for each version of the score that gives it different samples.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from auralis.audio import AudioFormat
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.score import Score, ScoreView
from services.synth.dsp.arrays import Array
from services.synth.dsp.convolution import Spectrum
from services.synth.dsp.limiter import Mix
from services.synth.memory import kept
from services.synth.mix.desk import Buses

# The chunks that are not frozen, the last 17 of the ring, are rendered again after a revision; the limiter
# looks back at three more, and a spectrum covers one more: these stay whole.
WHOLE_TAKES: Final = 21
# This many more takes than needed are kept before any is dropped.
_SLACK: Final = 8


@dataclass(slots=True, eq=False)
class Take:
    """One chunk in one version, as far as it has been rendered.

    Each flag says that the fields after it are known; None then means silence (buses and echoes are dropped
    once they are in the mix). The spectra cover the chunk and the one before it; of the spectrum of what goes
    into the room, the lowest ``room_bins`` are known.
    """

    seq: int
    view: ScoreView
    earlier: EntryId
    played: bool = False
    buses: Buses | None = None
    into_delay: Array | None = None
    sent: bool = False
    echoes: Array | None = None
    into_room: Array | None = None
    delay_known: bool = False
    delay_spectrum: Spectrum | None = None
    room_bins: int = 0
    room_spectrum: Spectrum | None = None
    mixed: bool = False
    mix: Mix | None = None

    def follows(self, other: "Take") -> bool:
        """Whether this is the take right after ``other``."""
        return (other.seq, other.view.version) == (self.seq - 1, self.earlier)

    def play(self, buses: Buses | None) -> None:
        """Store what sounds in it."""
        self.buses, self.played = buses, True
        # A copy of its own: a view would keep all buses in memory.
        self.into_delay = None if buses is None or buses.delay is None else kept(buses.delay)

    def shrink(self) -> None:
        """Drop what later chunks do not need: all but the spectra."""
        self.played = self.sent = self.mixed = False
        self.buses = self.into_delay = self.echoes = self.into_room = self.mix = None

    def forget_buses(self) -> None:
        """Drop what only its own mix needed."""
        self.buses = self.echoes = None

    def thin_room(self, bins: int) -> None:
        """Keep only the lowest ``bins`` of what its room needs: after so long no highs are left."""
        if self.room_spectrum is not None and bins < self.room_bins:
            self.room_spectrum, self.room_bins = self.room_spectrum.cut(bins), bins

    def forget_echoes(self) -> None:
        """Drop what the delay needed: its past is shorter than the room's."""
        self.delay_known, self.delay_spectrum = False, None


def shrink_past(takes: Sequence[Take], played: Iterable[int]) -> None:
    """Shrink the takes with the indices ``played`` that are older than :data:`WHOLE_TAKES` chunks."""
    for index in played:
        if index < len(takes) - WHOLE_TAKES:
            takes[index].shrink()


class Tape:
    """One channel's takes: its last ``depth`` chunks, of which the last ``echoes`` matter to the delay."""

    def __init__(self, audio: AudioFormat, depth: int, echoes: int) -> None:
        self._audio = audio
        self._depth = depth
        self._echoes = echoes + WHOLE_TAKES
        self._takes: dict[tuple[int, EntryId], Take] = {}
        self._last: list[Take] = []

    def upto(self, score: Score, version: EntryId, seq: int) -> list[Take]:
        """The takes up to chunk ``seq`` as ``version`` of ``score`` has them, oldest first.

        They begin ``depth`` chunks earlier, or where the score begins: before that there is silence.
        """
        version = score.version_for(self._audio.end_frame(seq), newest=version)
        if version == NO_ENTRY:
            return []
        newest = self._take(score, version, seq)
        if not (self._last and newest.follows(self._last[-1])):
            self._last = self._past(score, newest)
        self._last = [*self._last[1 - self._depth :], newest]
        if len(self._last) > WHOLE_TAKES:
            self._last[-1 - WHOLE_TAKES].shrink()
        if len(self._last) > self._echoes:
            self._last[-1 - self._echoes].forget_echoes()
        self._forget(seq)
        return self._last

    def _past(self, score: Score, take: Take) -> list[Take]:
        """The takes before ``take``, oldest first."""
        past: list[Take] = []
        while len(past) < self._depth - 1 and take.seq > 0 and take.earlier != NO_ENTRY:
            take = self._take(score, take.earlier, take.seq - 1)
            past.append(take)
        for old in past[WHOLE_TAKES:]:
            old.shrink()
        for old in past[self._echoes :]:
            old.forget_echoes()
        return past[::-1]

    def _take(self, score: Score, version: EntryId, seq: int) -> Take:
        take = self._takes.get((seq, version))
        if take is None:
            earlier = score.version_for(self._audio.start_frame(seq), newest=version)
            take = self._takes[seq, version] = Take(seq, score.view(version), earlier)
        return take

    def _forget(self, seq: int) -> None:
        """Keep what the next chunks need, and what rendering the last ones again would need."""
        if len(self._takes) > self._depth + WHOLE_TAKES + _SLACK:
            kept = range(seq - self._depth, seq + WHOLE_TAKES)
            self._takes = {key: take for key, take in self._takes.items() if take.seq in kept}
