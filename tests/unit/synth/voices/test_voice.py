"""A voice's stages: which partials are at which place, and when levels need every border."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid, steady
from services.synth.patches.library import library
from services.synth.patches.schema import Decay, Envelope, Harmonics, Modes, Motion
from services.synth.voices.build import voice_of
from services.synth.voices.voice import Part, Rows, Stage, Voice, brightness_range
from tests.unit.synth.players import CD, note_of, patch_of, voices_of_note

MIDDLE = 0.5  # of brightness
ORGAN = Envelope(attack_s=0.1, release_s=8.0)


def struck() -> Voice:
    """A note of six partials, three of which decay within a second."""
    modes = Modes(ratios=(1, 2, 3, 4, 18, 34), levels_db=(0,) * 6, t60_s=(9, 8, 0.5, 0.4, 0.3, 7))
    envelope = Envelope(attack_s=0.004, release_s=8.0)
    return voices_of_note(patch_of(partials=modes, envelope=envelope), seconds=20)[0]


def placed(stage: Stage) -> list[tuple[int, Part]]:
    """The parts of a stage with their places: the index of a grid, or :data:`grid.STEADY`."""
    return [(place, part) for place, part in enumerate(stage.parts) if part is not None]


def counts(voice: Voice, at_s: float) -> list[int]:
    """The number of lively partials on the full, the middle and the coarse grid, and of steady ones."""
    found = [0] * grid.PLACES
    for place, part in placed(voice.stage(voice.timing.at + CD.frames(at_s), MIDDLE)):
        found[place] = len(part)
    return found


def moving(voice: Voice, start_frame: int) -> int:
    """How many partials move in a chunk."""
    return sum(int(part.moving.sum()) for _, part in placed(voice.stage(start_frame, MIDDLE)))


def test_a_struck_note_is_young_on_the_full_grid() -> None:
    """In its first 100 ms all partials have the finer borders."""
    assert counts(struck(), 0.05) == [6, 0, 0, 0]


def test_later_partials_lie_on_the_grid_of_their_frequency() -> None:
    """While they move: after 100 ms only partials above 0.18 of the sample rate stay on the full grid."""
    voice = struck()
    assert counts(voice, 0.15) == [1, 1, 3, 1]
    for on, part in zip(grid.grids(CD), voice.stage(CD.frames(0.15), MIDDLE).lively, strict=True):
        assert part is not None
        assert on.holds(part.rows.tones[0]).all()


def test_partials_that_move_or_bend_are_lively() -> None:
    """Partials with vibrato are never steady; those of a struck note are, once they decay slowly enough."""
    vibrato = patch_of(partials=Harmonics(count=8), motion=Motion(vibrato_cents=10), envelope=ORGAN)
    organ = patch_of(partials=Harmonics(count=8), envelope=ORGAN)
    for patch, lively in ((vibrato, 8), (organ, 0)):
        stage = voices_of_note(patch, seconds=5)[0].stage(CD.frames(2), MIDDLE)
        assert sum(len(part) for part in stage.lively if part) == lively
        assert len(stage.steady or ()) == 8 - lively
        assert not any(part.moving.any() for _, part in placed(stage))
    for at_s in (0.05, 0.3, 1.0, 4.0):
        for place, part in placed(struck().stage(CD.frames(at_s), MIDDLE)):
            assert part.moving.all() if place < grid.STEADY else not part.moving.any()


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_partials_too_low_for_the_spectrum_are_lively(rate_hz: int) -> None:
    """Partials below about 30 Hz, at any time."""
    audio = AudioFormat(rate_hz)
    lowest_hz = steady.lowest_hz(audio)
    assert 25 < lowest_hz < 35
    modes = Modes(ratios=(0.98, 1.02), levels_db=(0, 0))
    low = patch_of(partials=modes, fixed_hz=lowest_hz, envelope=ORGAN)
    stage = voices_of_note(low, audio=audio, seconds=5)[0].stage(audio.frames(2), MIDDLE)
    found = [part.rows.tones[0] < lowest_hz for _, part in placed(stage)]
    assert [each.tolist() for each in found] == [[True], [False]]


def test_steady_partials_have_their_phase_at_the_chunks_centre() -> None:
    """The phase at the onset is advanced by the distance from a chunk's start to its centre."""
    voice = voices_of_note(patch_of(partials=Harmonics(count=3), envelope=ORGAN), seconds=5)[0]
    steady_rows = voice.stage(CD.frames(2), MIDDLE).steady
    assert steady_rows is not None
    later = voice.rows.freq_hz * steady.centre(CD) / CD.sample_rate_hz
    turned = steady_rows.rows.tones[1] - voice.rows.phase_turns - later
    assert np.abs(turned - np.round(turned)).max() < 1e-9


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", ["warm_pad", "church_bell", "felt_piano", "soft_kick"])
def test_every_partial_is_at_one_place(name: str, rate_hz: int) -> None:
    """Before any partial has died, the places together hold each one once."""
    audio = AudioFormat(rate_hz)
    voice = voices_of_note(library()[name], audio=audio)[0]
    for at_s in (0.0, 0.05, 0.11):
        frame = min(voice.timing.at + audio.frames(at_s), voice.timing.thinner[0] - 1)
        parts = placed(voice.stage(frame, MIDDLE))
        found = np.concatenate([part.rows.tones[0] for _, part in parts])
        assert np.array_equal(np.sort(found), np.sort(voice.rows.freq_hz))


def test_partials_that_have_died_are_left_out() -> None:
    """Three of six are gone at most half a second after they have fallen by 90 dB; the others ring on."""
    voice = struck()
    assert [sum(counts(voice, at_s)) for at_s in (0.25, 1.3, 3.0)] == [6, 3, 3]


def test_a_sustained_note_keeps_its_partials() -> None:
    """Partials that do not decay are the very same object in every chunk."""
    voice = voices_of_note(patch_of(partials=Harmonics(count=8), envelope=ORGAN), seconds=5)[0]
    late = [voice.stage(frame, MIDDLE).steady for frame in range(CD.frames(2), CD.frames(4), 4410)]
    assert late[0] is not None
    assert all(part is late[0] for part in late)
    assert len(late[0]) == 8


def test_a_stage_lasts_until_something_changes() -> None:
    """Between two changes the very same object is returned, so its tables can stay on the device."""
    voice = struck()
    for frame in range(0, voice.timing.silent, 4410):
        stage = voice.stage(frame, MIDDLE)
        assert stage.since <= frame < stage.until
        assert voice.stage(int(min(stage.until, voice.timing.silent)) - 1, MIDDLE) is stage


def eased(seed: int) -> set[int]:
    """The chunks of each half second at which bells, begun at several times, drop partials."""
    found = set()
    for start_s in (0.0, 0.13, 0.31):
        note = note_of(pitch=60, seconds=20, at_s=start_s)
        voice = voice_of(note, library()["church_bell"], seed, CD, 0)
        borders = {voice.stage(frame, MIDDLE).until for frame in range(note.at_frame, 20 * 44_100, 4410)}
        exact = {voice.timing.settled, voice.timing.released - 4409}
        found |= {border % CD.frames(0.5) / 4410 for border in borders - exact if border < np.inf}
    return found


def test_removals_are_deferred_to_common_moments() -> None:
    """The voices of a channel change together, every half second; those of other channels at other times."""
    assert [eased(seed) for seed in (5, 6, 9)] == [{0}, {1}, {4}]


def test_a_stage_does_not_depend_on_what_was_asked_before() -> None:
    """A voice first asked for a late stage gives the same partials as one that was asked all along."""
    old, fresh = struck(), struck()
    for frame in range(0, CD.frames(3), 4410):
        old.stage(frame, MIDDLE)
    one, other = (voice.stage(CD.frames(3), MIDDLE) for voice in (old, fresh))
    assert [place for place, _ in placed(one)] == [place for place, _ in placed(other)]
    for (_, part), (_, like) in zip(placed(one), placed(other), strict=True):
        assert np.array_equal(part.moving, like.moving)
        found, expected = ((part.rows.table, part.rows.tones, *part.rows.kernel) for part in (part, like))
        assert all(map(np.array_equal, found, expected))


def test_tables_stay_contiguous_when_partials_are_left_out() -> None:
    """Tables stay C-contiguous when partials are left out, as elementwise operations need it for speed."""
    for at_s in (0.05, 1.3, 3.0):
        for _, part in placed(struck().stage(CD.frames(at_s), MIDDLE)):
            assert all(each.flags.c_contiguous for each in (part.rows.table, *part.rows.kernel))


def test_brightness_brings_partials_in() -> None:
    """Partials that can't be heard at low brightness are left out there."""
    note = note_of(pitch=60, seconds=20)
    voice = voice_of(note, library()["warm_pad"], 7, CD, 0, floor_db=-75.0)
    late = CD.frames(8)
    found = [sum(len(part) for _, part in placed(voice.stage(late, bright))) for bright in (0.2, 0.5, 1.0)]
    assert 0 < found[0] < found[1] < found[2]
    assert brightness_range(0.5) == brightness_range(0.5 + 1e-12) == brightness_range(0.4)


def test_a_steady_note_moves_only_at_its_ends() -> None:
    """It moves in the half second in which it rises, and in a release that is short."""
    envelope = Envelope(attack_s=0.1, release_s=0.4)
    voice = voices_of_note(patch_of(partials=Harmonics(count=2), envelope=envelope), seconds=3)[0]
    moves = [moving(voice, at) > 0 for at in range(0, voice.timing.silent, 4410)]
    assert moves[0]
    assert not any(moves[5:29])
    assert all(moves[30:])


def test_tremolo_always_moves() -> None:
    """Levels that swing at 4 Hz can't be interpolated over 100 ms."""
    patch = patch_of(partials=Harmonics(count=2), motion=Motion(tremolo_db=3), envelope=ORGAN)
    voice = voices_of_note(patch, seconds=3)[0]
    assert all(moving(voice, at) == 2 for at in range(0, voice.timing.silent, 4410))


@pytest.mark.parametrize(("fast_db_s", "chunks"), [(300, 2), (40, 10), (3, 2)])
def test_a_decay_moves_while_it_is_steep(fast_db_s: float, chunks: int) -> None:
    """A decay that is short or slow moves in few chunks; one of 40 dB/s moves for the first second."""
    patch = patch_of(
        partials=Harmonics(count=1),
        decay=Decay(fast_db_s=fast_db_s),
        envelope=Envelope(attack_s=0.004, release_s=9),
    )
    voice = voices_of_note(patch, seconds=10)[0]
    count = sum(moving(voice, at) > 0 for at in range(0, min(voice.timing.silent, 12 * 4410), 4410))
    assert count == pytest.approx(chunks, abs=2)


def test_a_selection_of_rows_keeps_their_columns_together() -> None:
    """``where`` takes the same partials from every table."""
    rows = struck().rows
    keep = np.arange(len(rows)) % 2 == 0
    some = rows.where(keep)
    for name in Rows.__slots__:
        assert np.array_equal(getattr(some, name), getattr(rows, name)[..., keep])
    for name in ("slow", "fast", "bend", "stereo"):
        assert np.array_equal(getattr(some, name), getattr(rows, name)[keep])
    assert some.table.flags.c_contiguous
