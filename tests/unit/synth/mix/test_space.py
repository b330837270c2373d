"""Space: a function of a finite past, with changes of tempo and room that do not click."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY
from auralis.score.events import Event, Space, Tempo
from services.synth.dsp import arrays, convolution, delay, rooms
from services.synth.dsp.arrays import Array
from services.synth.dsp.rooms import ROOMS
from services.synth.mix import space
from services.synth.mix.desk import Buses
from services.synth.mix.space import LONGEST_DELAY_CHUNKS, LONGEST_ROOM_CHUNKS, Plan, SpaceRenderer
from services.synth.mix.tape import Take
from services.synth.renderer import Job, Renderer
from tests.device import DEVICE, numpy_of, there
from tests.unit.synth.scores import FIRST, phrase, score_of

AUDIO = AudioFormat()
TONE_HZ = 220.0
# So quiet that saturation does nothing to it.
LEVEL = 1e-3

Samples = NDArray[np.float64]


def tone(seq: int) -> Array:
    """A chunk of a sine that never ends."""
    frames = np.arange(AUDIO.start_frame(seq), AUDIO.end_frame(seq))
    wave = LEVEL * np.sin(2 * np.pi * TONE_HZ * frames / AUDIO.sample_rate_hz)
    return there(np.stack([wave, wave]))


def takes_of(events: list[Event], count: int, into: str) -> list[Take]:
    """Chunks in which a sine goes into the ``room`` or the ``delay`` alone."""
    view, silence = score_of(events, AUDIO).view(), there(np.zeros((2, AUDIO.frames_per_chunk)))
    takes = [Take(seq, view, NO_ENTRY) for seq in range(count)]
    for take in takes:
        sine = tone(take.seq)
        take.play(Buses(silence, sine, None) if into == "room" else Buses(silence, silence, sine))
    return takes


def heard(events: list[Event], count: int, last: int, into: str) -> Samples:
    """What comes out in the ``last`` chunks: ``[ear, frame]``."""
    takes = takes_of(events, count, into)
    mix(SpaceRenderer(AUDIO, DEVICE), takes, last)
    mixes = [take.mix for take in takes[-last:]]
    silence = np.zeros((2, AUDIO.frames_per_chunk))
    return np.concatenate([silence if mix is None else mix.samples for mix in mixes], axis=1).astype(float)


def mix(renderer: SpaceRenderer, takes: list[Take], count: int) -> None:
    renderer.mix([renderer.plan(takes, count)])


def roughest(samples: Samples) -> float:
    """The largest step, in units of the largest step of a sine with this peak and frequency."""
    slope = np.abs(samples).max() * 2 * np.pi * TONE_HZ / AUDIO.sample_rate_hz
    return float(np.abs(np.diff(samples)).max() / slope)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_depth_is_enough(rate_hz: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer that looks back twice as far renders the same bytes."""
    audio = AudioFormat(rate_hz)
    score = score_of([Space(0, "cathedral"), *phrase(audio), Tempo(audio.frames(3), 40.0)], audio)
    job = Job(7, score, 150, Versions(FIRST, FIRST))
    plain = Renderer(audio, DEVICE).render([job])
    depth = SpaceRenderer.depth(4)
    monkeypatch.setattr(SpaceRenderer, "depth", staticmethod(lambda _count: 2 * depth))
    assert Renderer(audio, DEVICE).render([job]) == plain


@pytest.mark.parametrize("bpm", [40.0, 75.0, 150.0])
def test_no_more_of_the_past_is_played_than_has_echoes(bpm: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer that looks back by the longest delay renders the same bytes, from more of the past."""
    score = score_of([Tempo(0, bpm), Space(0, "room"), *phrase(AUDIO)], AUDIO)
    job = Job(7, score, 60, Versions(FIRST, FIRST))
    plain, played = rendered(job, monkeypatch)
    monkeypatch.setattr(SpaceRenderer, "_delay_length", lambda _self, _take: LONGEST_DELAY_CHUNKS)
    further, more = rendered(job, monkeypatch)
    assert further == plain
    assert played <= more
    assert (played < more) == (space._delay(bpm, AUDIO, DEVICE).length < LONGEST_DELAY_CHUNKS)


def rendered(job: Job, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bytes], int]:
    """A chunk from a new renderer, and how many chunks it played for it."""
    played = list[int]()
    plan = SpaceRenderer.plan

    def watched(self: SpaceRenderer, takes: Sequence[Take], count: int) -> Plan:
        found = plan(self, takes, count)
        played.append(len(found.plays))
        return found

    with monkeypatch.context() as watching:
        watching.setattr(SpaceRenderer, "plan", watched)
        return Renderer(AUDIO, DEVICE).render([job]), sum(played)


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_no_room_or_delay_is_longer_than_the_look_back(rate_hz: int) -> None:
    audio = AudioFormat(rate_hz)
    assert max(space._room(name, audio, DEVICE).length for name in ROOMS) <= LONGEST_ROOM_CHUNKS
    delays = [space._delay(bpm, audio, DEVICE).length for bpm in (20.0, 40.0, 60.0, 120.0, 300.0)]
    assert max(delays) <= LONGEST_DELAY_CHUNKS


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_no_room_or_delay_has_more_bins_than_are_kept(rate_hz: int) -> None:
    audio = AudioFormat(rate_hz)
    kept = {
        convolution.bins_up_to(rooms.HIGHEST_HZ, audio): [space._room(name, audio, DEVICE) for name in ROOMS],
        convolution.bins_up_to(delay.HIGHEST_HZ, audio): [
            space._delay(bpm, audio, DEVICE) for bpm in (20.0, 40.0, 60.0, 120.0, 300.0)
        ],
    }
    for bins, responses in kept.items():
        partitions = [part for response in responses for part in response.partitions]
        most = max(part.spectrum.shape[-1] for part in partitions)
        assert most <= bins < most + 200


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_what_is_kept_of_the_far_past_is_enough_for_every_room(rate_hz: int) -> None:
    audio = AudioFormat(rate_hz)
    partitions = [part for name in ROOMS for part in space._room(name, audio, DEVICE).partitions]
    for since, bins in space.THINNER:
        most = max(part.spectrum.shape[-1] for part in partitions if part.delay >= since)
        assert most <= bins < most + 64


def test_a_move_into_the_largest_room_finds_its_past_at_hand() -> None:
    """Its first chunk needs no other chunk rendered again, and is the same as from a new renderer."""
    events: list[Event] = [Space(0, "room"), Space(150 * 4410, "cathedral")]
    takes, renderer = takes_of(events, 151, "room"), SpaceRenderer(AUDIO, DEVICE)
    for count in range(1, 151):
        plan = renderer.plan(takes[:count], 1)
        renderer.mix([plan])
        renderer.forget(plan)
    plan = renderer.plan(takes, 1)
    assert (len(plan.rooms), plan.sends) == (1, [150])
    renderer.mix([plan])
    fresh = takes_of(events, 151, "room")
    mix(SpaceRenderer(AUDIO, DEVICE), fresh, 1)
    assert fresh[-1].mix is not None
    assert takes[-1].mix is not None
    assert np.array_equal(takes[-1].mix.samples, fresh[-1].mix.samples)


def test_silence_stays_silence() -> None:
    """Nothing is computed for it."""
    view = score_of([], AUDIO).view()
    takes = [Take(seq, view, NO_ENTRY, played=True) for seq in range(30)]
    mix(SpaceRenderer(AUDIO, DEVICE), takes, 4)
    assert all(take.mix is None for take in takes)


def test_only_what_can_be_heard_has_to_be_played() -> None:
    """What is known already is not asked for again."""
    view = score_of([Space(0, "room")], AUDIO).view()
    takes = [Take(seq, view, NO_ENTRY) for seq in range(200)]
    renderer = SpaceRenderer(AUDIO, DEVICE)
    plan = renderer.plan(takes, 1)
    wanted = plan.unplayed
    assert wanted[-1] is takes[-1]
    assert 0 < len(wanted) < 100
    for take in wanted:
        take.played = True
    renderer.mix([plan])
    assert renderer.plan(takes, 1).unplayed == []


@pytest.mark.parametrize("into", ["room", "delay"])
def test_chunk_by_chunk_or_at_once_is_the_same(into: str) -> None:
    events: list[Event] = [Tempo(0, 80.0), Space(0, "plate")]
    at_once = heard(events, 60, 8, into)
    takes, renderer = takes_of(events, 60, into), SpaceRenderer(AUDIO, DEVICE)
    for count in range(1, 61):
        mix(renderer, takes[:count], 1)
    one_by_one = np.concatenate([take.mix.samples for take in takes[-8:] if take.mix is not None], axis=1)
    assert np.array_equal(at_once, one_by_one)


@pytest.fixture
def echoes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep echoes, which otherwise are dropped once they are in the mix."""
    monkeypatch.setattr(Take, "forget_buses", lambda _take: None)


def echoes(events: list[Event]) -> Samples:
    """The delay's output in chunks 40 to 59."""
    takes = takes_of(events, 60, "delay")
    mix(SpaceRenderer(AUDIO, DEVICE), takes, 20)
    heard = [take.echoes for take in takes[40:] if take.echoes is not None]
    return numpy_of(arrays.joined(heard, axis=1)).astype(float)


@pytest.mark.usefixtures("echoes_are_kept")
@pytest.mark.parametrize("change", [45 * 4410, 45 * 4410 + 1234])
def test_a_change_of_tempo_does_not_click_in_the_echo(change: int) -> None:
    """The first chunk that begins in the new tempo crossfades from the old spacing to the new one."""
    samples = echoes([Tempo(0, 60.0), Tempo(change, 97.0)])
    old, new = echoes([Tempo(0, 60.0)]), echoes([Tempo(0, 97.0)])
    first = (-(-change // 4410) - 40) * 4410
    share = np.clip((np.arange(samples.shape[1]) - first) / 4409, 0, 1)
    assert roughest(samples) < 1.1
    assert np.allclose(samples, old + (new - old) * share, atol=1e-7)
    assert np.abs(old - new).max() > 0.1 * np.abs(old).max()


@pytest.mark.parametrize("at_frame", [100 * 4410, 100 * 4410 + 1234])
def test_a_change_of_room_takes_four_seconds_and_is_even(at_frame: int) -> None:
    """Before it there is the old room, after it the new one, half way half of both, and nowhere a step."""
    samples = heard([Space(0, "hall"), Space(at_frame, "plate")], 150, 55, "room")
    hall, plate = (heard([Space(0, name)], 150, 55, "room") for name in ("hall", "plate"))
    first = at_frame - 95 * 4410
    moved = np.clip((np.arange(samples.shape[1]) - first) / AUDIO.frames(4.0), 0, 1)
    assert roughest(samples) < 1.1
    assert np.allclose(samples, hall + (plate - hall) * moved, atol=1e-7)
    assert np.abs(hall - plate).max() > 0.1 * np.abs(hall).max()


def test_reversing_a_room_change_midway_does_not_click() -> None:
    """A second move crossfades from the current mixture; in the end only its room is heard."""
    events: list[Event] = [Space(0, "hall"), Space(441_000, "plate"), Space(441_000 + 70_000, "room")]
    samples = heard(events, 170, 75, "room")
    assert roughest(samples) < 1.1
    assert np.array_equal(samples[:, -13 * 4410 :], heard([Space(0, "room")], 170, 13, "room"))
    back = heard([Space(0, "hall"), Space(441_000, "plate"), Space(450_000, "hall")], 170, 15, "room")
    assert np.allclose(back, heard([Space(0, "hall")], 170, 15, "room"), atol=1e-7)


def test_a_piece_may_begin_in_any_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room announced at the first frame is in force from the first sample on, without a crossfade."""
    assert not heard([Space(0, "none")], 30, 30, "room").any()
    plate = heard([Space(0, "plate")], 30, 30, "room")
    monkeypatch.setattr(space, "DEFAULT_ROOM", "plate")
    assert np.array_equal(heard([], 30, 30, "room"), plate)


def test_without_a_room_there_is_no_reverberation() -> None:
    """A tail fades away as its room is left."""
    outside = heard([Space(0, "none")], 60, 5, "room")
    assert not outside.any()
    leaving = heard([Space(0, "hall"), Space(441_000, "none")], 160, 65, "room")
    assert roughest(leaving) < 1.1
    assert leaving[:, : 4 * 4410].any()
    assert not leaving[:, -15 * 4410 :].any()


def test_a_room_that_is_announced_again_is_not_a_change() -> None:
    """As happens every minute, for readers that join late."""
    again = heard([Space(0, "plate"), Space(50 * 4410, "plate")], 60, 15, "room")
    assert np.array_equal(again, heard([Space(0, "plate")], 60, 15, "room"))


def test_the_default_room_is_the_hall() -> None:
    assert np.array_equal(heard([], 30, 5, "room"), heard([Space(0, "hall")], 30, 5, "room"))


@pytest.mark.usefixtures("echoes_are_kept")
def test_echoes_go_into_the_room() -> None:
    """Silence for three quarters of a beat; then more than the echo itself."""
    events: list[Event] = [Tempo(0, 60.0)]
    takes = takes_of(events, 12, "delay")
    mix(SpaceRenderer(AUDIO, DEVICE), takes, 12)
    samples = heard(events, 12, 12, "delay")
    assert np.abs(samples[:, : AUDIO.frames(0.74)]).max() < 1e-4 * LEVEL
    assert np.abs(samples[:, AUDIO.frames(0.76) :]).max() > 0.1 * LEVEL
    assert takes[-1].echoes is not None
    assert np.abs(samples[:, -4410:] - numpy_of(takes[-1].echoes)).max() > 0.01 * LEVEL
