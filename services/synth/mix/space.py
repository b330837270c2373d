"""Space: echoes in time with the music and the room around it, chunk by chunk from what the tape holds.

What a chunk's mix needs is asked for backwards (the room's past, the delay's past, the buses) and rendered
forwards. So it does not matter what was rendered before: a worker that takes over renders the past that can
still be heard, one that goes on renders one chunk.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import torch

from auralis.audio import AUDIO_CHANNELS, CHUNKS_PER_SECOND, AudioFormat
from auralis.score.events import Space, Tempo
from services.synth.dsp import convolution, delay, master, rooms
from services.synth.dsp.convolution import Response, Spectrum
from services.synth.mix.desk import DELAY_TO_ROOM
from services.synth.mix.silence import crossfaded, total
from services.synth.mix.tape import WHOLE_TAKES, Take, shrink_past

DEFAULT_ROOM: Final = "hall"
NO_ROOM: Final = "none"
_DEFAULT_BPM: Final = 60.0
_BEATS: Final = 0.75  # between two echoes
LONGEST_DELAY_CHUNKS: Final = int(delay.LONGEST_S * CHUNKS_PER_SECOND) + 1
# A tempo that glides has a response for each of its beats.
_KEPT_DELAYS: Final = 64
# No room is longer (see the tests).
LONGEST_ROOM_CHUNKS: Final = 90
# From so many chunks on no room has more bins (see the tests): a room that is moved into needs the past of
# the longest, which must not be rendered again while a change is to be heard.
_THIN_FROM: Final = 39
THIN_BINS: Final = 768
# A change of room is a walk, not a door.
_MOVE_S: Final = 4.0


@cache
def _room(name: str, audio: AudioFormat, device: torch.device) -> Response:
    if name == NO_ROOM:
        return Response((), 0)
    return convolution.response(rooms.impulse(rooms.ROOMS[name], audio), audio).to(device)


@lru_cache(maxsize=_KEPT_DELAYS)
def _delay(bpm: float, audio: AudioFormat, device: torch.device) -> Response:
    return convolution.response(delay.impulse(60 / bpm, _BEATS, audio), audio).to(device)


def design_rooms(audio: AudioFormat, device: torch.device) -> None:
    """Have all rooms ready: designing the largest takes longer than a change may take to be heard."""
    for name in rooms.ROOMS:
        _room(name, audio, device)


class Plan(NamedTuple):
    """Indices of takes that lack something, oldest first: a mix, the spectrum of what goes into the room."""

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


class SpaceRenderer:
    """Fills in what takes lack; ``takes`` are always those of one channel, oldest first, without a gap.

    Where they begin there was silence before, or nothing before can be heard at their end.
    """

    def __init__(self, audio: AudioFormat, device: torch.device) -> None:
        self._audio = audio
        self._device = device
        self._room_bins, self._delay_bins = (
            convolution.bins_up_to(hz, audio) for hz in (rooms.HIGHEST_HZ, delay.HIGHEST_HZ)
        )

    @staticmethod
    def depth(count: int) -> int:
        """How many takes the mix of the last ``count`` may depend on."""
        return LONGEST_DELAY_CHUNKS + LONGEST_ROOM_CHUNKS + count + 2

    def plan(self, takes: Sequence[Take], count: int) -> Plan:
        """What the mix of the last ``count`` takes still needs."""
        mixes = self._to_mix(takes, count)
        rooms_ = self._to_analyse(takes, mixes)
        sends = self._to_send(takes, mixes, rooms_)
        echoes = self._to_echo(takes, sends)
        return Plan(takes, mixes, rooms_, sends, echoes, self._to_play(takes, mixes, sends, echoes))

    def mix(self, plan: Plan) -> None:
        """Give the takes their mix; those that the plan calls unplayed have been played.

        What another plan, made at the same time, has done since is not done again.
        """
        takes = plan.takes
        for index in plan.echoes:
            if not takes[index].delay_known:
                self._analyse_delay(takes, index)
        for index in plan.sends:
            if not takes[index].sent:
                self._send(takes, index)
        for index in plan.rooms:
            if not takes[index].room_known or takes[index].room_thin:
                self._analyse_room(takes, index)
        for index in plan.mixes:
            if not takes[index].mixed:
                self._mix(takes, index)

    def forget(self, plan: Plan) -> None:
        """Drop what no chunk needs any more, even where the last ones are rendered again."""
        takes = plan.takes
        shrink_past(takes, plan.plays)
        old = _THIN_FROM + WHOLE_TAKES
        if plan.mixes and len(takes) > old:
            takes[-1 - old].thin_room(THIN_BINS)
        for index in plan.rooms:
            if index < len(takes) - old:
                takes[index].thin_room(THIN_BINS)

    # What is needed for what: indices of takes that lack something, oldest first.

    @staticmethod
    def _to_mix(takes: Sequence[Take], count: int) -> list[int]:
        return [i for i in range(max(0, len(takes) - count), len(takes)) if not takes[i].mixed]

    def _to_analyse(self, takes: Sequence[Take], mixes: Sequence[int]) -> list[int]:
        lacking: set[int] = set()
        for i in mixes:
            first = max(0, i + 1 - self._room_length(takes[i]))
            lacking.update(j for j in range(first, i + 1) if _lacks_room(takes[j], i - j))
        return sorted(lacking)

    @staticmethod
    def _to_send(takes: Sequence[Take], mixes: Sequence[int], rooms_: Sequence[int]) -> list[int]:
        return sorted(i for i in {*mixes, *_with_earlier(rooms_)} if not takes[i].sent)

    @staticmethod
    def _to_echo(takes: Sequence[Take], sends: Sequence[int]) -> list[int]:
        past = {j for i in sends for j in range(max(0, i + 1 - LONGEST_DELAY_CHUNKS), i + 1)}
        return sorted(i for i in past if not takes[i].delay_known)

    @staticmethod
    def _to_play(
        takes: Sequence[Take], mixes: Sequence[int], sends: Sequence[int], echoes: Sequence[int]
    ) -> list[int]:
        return sorted(i for i in {*mixes, *sends, *_with_earlier(echoes)} if not takes[i].played)

    # How it is made.

    def _analyse_delay(self, takes: Sequence[Take], index: int) -> None:
        before, now = (takes[i].into_delay if i >= 0 else None for i in (index - 1, index))
        takes[index].delay_spectrum = self._spectrum(before, now, self._delay_bins)
        takes[index].delay_known = True

    def _send(self, takes: Sequence[Take], index: int) -> None:
        """What comes out of the delay, and what goes into the room."""
        take = takes[index]
        take.echoes = self._echoes(takes, index)
        returned = take.echoes * DELAY_TO_ROOM if take.echoes is not None else None
        take.into_room = total(take.buses.room if take.buses else None, returned)
        take.sent = True

    def _analyse_room(self, takes: Sequence[Take], index: int) -> None:
        before = takes[index - 1].into_room if index else None
        takes[index].room_spectrum = self._spectrum(before, takes[index].into_room, self._room_bins)
        takes[index].room_known, takes[index].room_thin = True, False

    def _mix(self, takes: Sequence[Take], index: int) -> None:
        """Dry, echoes and the room, gently saturated."""
        take = takes[index]
        near = total(take.buses.dry if take.buses else None, take.echoes)
        mix = total(near, self._wet(takes, index))
        take.mix = None if mix is None else master.saturate(np.asarray(mix.cpu().numpy()))
        take.mixed = True
        take.forget_buses()

    def _spectrum(self, before: torch.Tensor | None, now: torch.Tensor | None, bins: int) -> Spectrum | None:
        if before is None and now is None:
            return None
        silence = torch.zeros(self._audio.frames_per_chunk, device=self._device)
        before, now = (
            (silence if chunk is None else chunk).expand(AUDIO_CHANNELS, -1) for chunk in (before, now)
        )
        return convolution.spectrum(before, now, bins)

    def _echoes(self, takes: Sequence[Take], index: int) -> torch.Tensor | None:
        """What the delay gives; where the tempo changes, from the old spacing into the new one."""
        first = max(0, index + 1 - LONGEST_DELAY_CHUNKS)
        spectra = [take.delay_spectrum for take in takes[first : index + 1]]
        start = self._audio.start_frame(takes[index].seq)
        now, before = (_bpm(takes[index], frame) for frame in (start, start - self._audio.frames_per_chunk))
        new = convolution.convolve(spectra, _delay(now, self._audio, self._device), self._audio)
        if new is None or now == before:
            return new
        old = convolution.convolve(spectra, _delay(before, self._audio, self._device), self._audio)
        return crossfaded(old, new, torch.linspace(0, 1, self._audio.frames_per_chunk, device=self._device))

    def _wet(self, takes: Sequence[Take], index: int) -> torch.Tensor | None:
        """The room's answer; after a change of room, from the old one into the new one."""
        first = max(0, index + 1 - LONGEST_ROOM_CHUNKS)
        spectra = [take.room_spectrum for take in takes[first : index + 1]]
        moves = self._moves(takes[index])
        answers = {
            name: convolution.convolve(spectra, self._response(name), self._audio)
            for name in dict.fromkeys(move.room for move in moves)
        }
        wet, frames = answers[moves[0].room], torch.arange(self._audio.frames_per_chunk, device=self._device)
        for move in moves[1:]:
            since = frames + (self._audio.start_frame(takes[index].seq) - move.at_frame)
            wet = crossfaded(wet, answers[move.room], (since / self._audio.frames(_MOVE_S)).clamp(0, 1))
        return wet

    def _moves(self, take: Take) -> list[Space]:
        """The room at the chunk's start less the time that a move takes, and the moves since.

        Who moves on before having arrived goes on from where he is.
        """
        start, end = self._audio.start_frame(take.seq), self._audio.end_frame(take.seq)
        since = max(0, start - self._audio.frames(_MOVE_S))
        marks = take.view.marks(Space, since, end)
        if not marks or marks[0].at_frame >= since:
            marks = [Space(0, DEFAULT_ROOM), *marks]
        return [marks[0], *(move for before, move in pairwise(marks) if move.room != before.room)]

    def _response(self, name: str) -> Response:
        return _room(name, self._audio, self._device)

    def _room_length(self, take: Take) -> int:
        return max(self._response(move.room).length for move in self._moves(take))


def _lacks_room(take: Take, age: int) -> bool:
    """Whether a mix that is ``age`` chunks later can't be made from what is known of ``take``."""
    return not take.room_known or (take.room_thin and age < _THIN_FROM)


def _with_earlier(indices: Iterable[int]) -> set[int]:
    """The indices and those before them: a spectrum is that of two chunks."""
    return {j for i in indices for j in (i - 1, i) if j >= 0}


def _bpm(take: Take, frame: int) -> float:
    tempo = take.view.in_force(Tempo, max(frame, 0))
    return tempo.bpm if tempo else _DEFAULT_BPM
