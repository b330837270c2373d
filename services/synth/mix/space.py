"""Space: echoes in time with the music and the room around it, chunk by chunk from what the tape holds.

The needs of a chunk's mix are worked out backwards (the room's past, the delay's past, the buses) and
rendered forwards. So it does not matter what was rendered before: a worker that takes over renders the past
that can still be heard, a worker that carries on renders one chunk.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis.audio import CHUNKS_PER_SECOND, AudioFormat
from auralis.score.events import Space, Tempo
from services.synth.dsp import arrays, convolution, delay, limiter, master, rooms
from services.synth.dsp.arrays import Array, Device
from services.synth.dsp.convolution import Past, Response, Spectrum
from services.synth.memory import kept
from services.synth.mix.desk import DELAY_TO_ROOM
from services.synth.mix.silence import crossfaded, total
from services.synth.mix.tape import WHOLE_TAKES, Take, shrink_past

DEFAULT_ROOM: Final = "hall"
NO_ROOM: Final = "none"
_DEFAULT_BPM: Final = 60.0
_BEATS: Final = 0.75  # between two echoes
LONGEST_DELAY_CHUNKS: Final = int(delay.LONGEST_S * CHUNKS_PER_SECOND) + 1
# A gliding tempo needs a response for each beat.
_KEPT_DELAYS: Final = 64
# No room is longer (see the tests).
LONGEST_ROOM_CHUNKS: Final = 90
# (delay in chunks, bins): from this delay on no room has more bins than this (see the tests). After a change,
# any room needs its past at once, so the past of the longest is kept: rendering it again takes too long.
THINNER: Final = ((18, 1872), (39, 768))
# A change of room is a crossfade of this length.
_MOVE_S: Final = 4.0


@cache
def _room(name: str, audio: AudioFormat, device: Device) -> Response:
    if name == NO_ROOM:
        return Response((), 0)
    return convolution.response(rooms.impulse(rooms.ROOMS[name], audio), audio).on(device)


@lru_cache(maxsize=_KEPT_DELAYS)
def _delay(bpm: float, audio: AudioFormat, device: Device) -> Response:
    return convolution.response(delay.impulse(60 / bpm, _BEATS, audio), audio).on(device)


def design_rooms(audio: AudioFormat, device: Device, names: Iterable[str] = tuple(rooms.ROOMS)) -> None:
    """Design rooms in advance: the largest takes longer than a change may take to be heard."""
    for name in names:
        _room(name, audio, device)


class Plan(NamedTuple):
    """Indices of takes that lack something, oldest first.

    ``mixes`` lack their mix, ``rooms`` the spectrum of what goes into the room, ``sends`` that input itself,
    ``echoes`` the spectrum of what goes into the delay, and ``plays`` their buses.
    """

    takes: Sequence[Take]
    mixes: list[int]
    rooms: list[int]
    sends: list[int]
    echoes: list[int]
    plays: list[int]

    @property
    def unplayed(self) -> list[Take]:
        """The takes whose buses are needed."""
        return [self.takes[i] for i in self.plays]

    def oldest(self, most: int) -> "Plan":
        """The part that needs only the first ``most`` of its plays: nothing depends on what comes later."""
        if len(self.plays) <= most:
            return self
        last = self.plays[most - 1]
        return Plan(self.takes, *([i for i in each if i <= last] for each in self[1:]))


class _Spot(NamedTuple):
    """A take among the takes of its channel, oldest first."""

    takes: Sequence[Take]
    place: int

    @property
    def take(self) -> Take:
        return self.takes[self.place]

    @property
    def before(self) -> Take | None:
        return self.takes[self.place - 1] if self.place else None

    def spectra(self, name: str, length: int) -> list[Spectrum | None]:
        """The spectra ``name`` of the last ``length`` takes up to this one, oldest first."""
        first = max(0, self.place + 1 - length)
        return [getattr(take, name) for take in self.takes[first : self.place + 1]]


class SpaceRenderer:
    """Fills in what takes lack; ``takes`` are always of one channel, oldest first, without a gap.

    Before the first of them there was silence, or nothing that can still be heard in the last.
    """

    def __init__(self, audio: AudioFormat, device: Device) -> None:
        self._audio = audio
        self._device = device
        self._room_bins, self._delay_bins = (
            convolution.bins_up_to(hz, audio) for hz in (rooms.HIGHEST_HZ, delay.HIGHEST_HZ)
        )
        # By how many chunks the mix is later than the take.
        self._bins_needed = [
            min(bins for since, bins in ((0, self._room_bins), *THINNER) if since <= age)
            for age in range(LONGEST_ROOM_CHUNKS)
        ]

    @staticmethod
    def depth(count: int) -> int:
        """How many takes the mix of the last ``count`` may depend on."""
        return LONGEST_DELAY_CHUNKS + LONGEST_ROOM_CHUNKS + count + 2

    def plan(self, takes: Sequence[Take], count: int) -> Plan:
        """What the last ``count`` mixes still need; if none lacks, what later takes need of the last one."""
        mixes = self._to_mix(takes, count)
        heard = mixes or range(len(takes))[-1:]
        rooms_ = self._to_analyse(takes, heard)
        sends = self._to_send(takes, heard, rooms_)
        echoes = self._to_echo(takes, sends)
        return Plan(takes, mixes, rooms_, sends, echoes, self._to_play(takes, heard, sends, echoes))

    def mix(self, plans: Sequence[Plan]) -> None:
        """Mix the takes of several channels; the plans' ``unplayed`` takes have been played by now.

        Step by step for all of them at once: transforms of many chunks cost half as much as single ones.
        """
        self._analyse_delay([spot for spot in _spots(plans, "echoes") if not spot.take.delay_known])
        self._send([spot for spot in _spots(plans, "sends") if not spot.take.sent])
        lacking = (spot for spot in _spots(plans, "rooms") if spot.take.room_bins < self._room_bins)
        self._analyse_room(list(lacking))
        self._mix([spot for spot in _spots(plans, "mixes") if not spot.take.mixed])

    def forget(self, plan: Plan) -> None:
        """Drop what no chunk needs any more, even if the last ones are rendered again."""
        takes = plan.takes
        shrink_past(takes, plan.plays)
        for age, bins in THINNER:
            old = age + WHOLE_TAKES
            for take in takes[:-old][-max(len(plan.rooms), 1) :]:
                take.thin_room(bins)
            for index in plan.rooms:
                if index < len(takes) - old:
                    takes[index].thin_room(bins)

    # Planning: the indices of takes that lack something, oldest first.

    @staticmethod
    def _to_mix(takes: Sequence[Take], count: int) -> list[int]:
        return [i for i in range(max(0, len(takes) - count), len(takes)) if not takes[i].mixed]

    def _to_analyse(self, takes: Sequence[Take], mixes: Sequence[int]) -> list[int]:
        lacking: set[int] = set()
        for i in mixes:
            first = max(0, i + 1 - self._room_length(takes[i]))
            lacking.update(j for j in range(first, i + 1) if takes[j].room_bins < self._bins_needed[i - j])
        return sorted(lacking)

    @staticmethod
    def _to_send(takes: Sequence[Take], mixes: Sequence[int], rooms_: Sequence[int]) -> list[int]:
        return sorted(i for i in {*mixes, *_with_earlier(rooms_)} if not takes[i].sent)

    def _to_echo(self, takes: Sequence[Take], sends: Sequence[int]) -> list[int]:
        past = {j for i in sends for j in range(max(0, i + 1 - self._delay_length(takes[i])), i + 1)}
        return sorted(i for i in past if not takes[i].delay_known)

    @staticmethod
    def _to_play(
        takes: Sequence[Take], mixes: Sequence[int], sends: Sequence[int], echoes: Sequence[int]
    ) -> list[int]:
        return sorted(i for i in {*mixes, *sends, *_with_earlier(echoes)} if not takes[i].played)

    # Rendering: the steps that fill it in.

    def _analyse_delay(self, spots: Sequence[_Spot]) -> None:
        found = self._spectra(spots, "into_delay", self._delay_bins)
        for spot, spectrum in zip(spots, found, strict=True):
            spot.take.delay_spectrum, spot.take.delay_known = spectrum, True

    def _send(self, spots: Sequence[_Spot]) -> None:
        """Fill in what comes out of the delay, and what goes into the room."""
        for spot, echoes in zip(spots, self._echoes(spots), strict=True):
            take, returned = spot.take, echoes * DELAY_TO_ROOM if echoes is not None else None
            take.echoes = echoes
            into_room = total(take.buses.room if take.buses else None, returned)
            take.into_room = None if into_room is None else kept(into_room)
            take.sent = True

    def _analyse_room(self, spots: Sequence[_Spot]) -> None:
        found = self._spectra(spots, "into_room", self._room_bins)
        for spot, spectrum in zip(spots, found, strict=True):
            spot.take.room_spectrum, spot.take.room_bins = spectrum, self._room_bins

    def _mix(self, spots: Sequence[_Spot]) -> None:
        """Fill in the sum of dry sound, echoes and the room, gently saturated."""
        takes = [spot.take for spot in spots]
        mixes = (
            total(total(take.buses.dry if take.buses else None, take.echoes), wet)
            for take, wet in zip(takes, self._wet(spots), strict=True)
        )
        for take, mix in zip(takes, _fetched(mixes, self._device), strict=True):
            take.mix = None if mix is None else limiter.mix_of(master.saturate(mix))
            take.mixed = True
            take.forget_buses()

    def _spectra(self, spots: Sequence[_Spot], name: str, bins: int) -> list[Spectrum | None]:
        """The spectra of the signal ``name``, of each take and the one before."""
        pairs = [(getattr(spot.before, name, None), getattr(spot.take, name)) for spot in spots]
        return convolution.spectra(pairs, bins, self._audio)

    def _echoes(self, spots: Sequence[_Spot]) -> list[Array | None]:
        """The delay's output; where the tempo changes, crossfaded from the old spacing into the new one."""
        heard = self._convolved(spots, "delay_spectrum", [self._delays(spot.take) for spot in spots])
        return [self._respaced(*each) if len(each) > 1 else each[0] for each in heard]

    def _respaced(self, old: Array | None, new: Array | None) -> Array | None:
        return crossfaded(old, new, np.linspace(0, 1, self._audio.frames_per_chunk))

    def _delays(self, take: Take) -> list[Response]:
        """The delay's response in the chunk before, if it was another, and in this one."""
        start = self._audio.start_frame(take.seq)
        tempi = (_bpm(take, frame) for frame in (start - self._audio.frames_per_chunk, start))
        return [_delay(bpm, self._audio, self._device) for bpm in dict.fromkeys(tempi)]

    def _wet(self, spots: Sequence[_Spot]) -> list[Array | None]:
        """The room's output; after a change of room, crossfaded from the old one into the new one."""
        moves = [self._moves(spot.take) for spot in spots]
        rooms_ = [[self._response(move.room) for move in each] for each in moves]
        heard = self._convolved(spots, "room_spectrum", rooms_)
        return [self._moved(*each) for each in zip(spots, moves, heard, strict=True)]

    def _moved(self, spot: _Spot, moves: Sequence[Space], answers: Sequence[Array | None]) -> Array | None:
        wet = answers[0]
        if len(moves) == 1:
            return wet
        frames = np.arange(self._audio.start_frame(spot.take.seq), self._audio.end_frame(spot.take.seq))
        for move, answer in zip(moves[1:], answers[1:], strict=True):
            since = frames - move.at_frame
            wet = crossfaded(wet, answer, (since / self._audio.frames(_MOVE_S)).clip(0, 1))
        return wet

    def _convolved(
        self, spots: Sequence[_Spot], name: str, responses: Sequence[Sequence[Response]]
    ) -> list[list[Array | None]]:
        """The spectra ``name`` up to each spot, convolved with each of the spot's responses."""
        pasts = [
            Past(spot.spectra(name, response.length), response)
            for spot, several in zip(spots, responses, strict=True)
            for response in several
        ]
        found = iter(convolution.convolve(pasts, self._audio))
        return [[next(found) for _ in several] for several in responses]

    def _moves(self, take: Take) -> list[Space]:
        """The room in force one crossfade before the chunk's start, and the moves since.

        A room that is announced at the score's first frame is where the piece begins, not a move.
        A move that starts during another crossfades from the current mixture.
        """
        start, end = self._audio.start_frame(take.seq), self._audio.end_frame(take.seq)
        since = max(0, start - self._audio.frames(_MOVE_S))
        marks = take.view.marks(Space, since, end)
        if not marks or marks[0].at_frame > since:
            marks = [Space(0, DEFAULT_ROOM), *marks]
        return [marks[0], *(move for before, move in pairwise(marks) if move.room != before.room)]

    def _response(self, name: str) -> Response:
        return _room(name, self._audio, self._device)

    def _delay_length(self, take: Take) -> int:
        return max(response.length for response in self._delays(take))

    def _room_length(self, take: Take) -> int:
        return max(self._response(move.room).length for move in self._moves(take))


def _fetched(mixes: Iterable[Array | None], device: Device) -> Iterable[NDArray[np.float32] | None]:
    """The mixes as numpy arrays; from an accelerator all at once, since each copy would wait for it.

    On the CPU one by one: several at a time would lie between arrays that are kept, and leave holes behind.
    """
    if arrays.by_numpy(device):
        return mixes
    every = list(mixes)
    sounding = [mix for mix in every if mix is not None]
    found = iter(arrays.fetched(arrays.stacked(sounding)) if sounding else ())
    return [None if mix is None else next(found) for mix in every]


def _spots(plans: Iterable[Plan], lacking: str) -> Iterable[_Spot]:
    """The takes in the list ``lacking`` of the plans; each once, even where two plans share a past."""
    spots = (_Spot(plan.takes, index) for plan in plans for index in getattr(plan, lacking))
    return {id(spot.take): spot for spot in spots}.values()


def _with_earlier(indices: Iterable[int]) -> set[int]:
    """The indices and the ones before them: a spectrum covers two chunks."""
    return {j for i in indices for j in (i - 1, i) if j >= 0}


def _bpm(take: Take, frame: int) -> float:
    tempo = take.view.in_force(Tempo, max(frame, 0))
    return tempo.bpm if tempo else _DEFAULT_BPM
