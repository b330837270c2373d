"""A voice on its grids: which partials are where, and when levels need every border."""

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.dsp import grid
from services.synth.patches.library import library
from services.synth.patches.schema import Decay, Envelope, Harmonics, Modes, Motion
from services.synth.voices.voice import Rows, Voice
from tests.unit.synth.players import CD, patch_of, voices_of_note

RATE_HZ = CD.sample_rate_hz
FULL, MIDDLE, COARSE = grid.full(CD), grid.middle(CD), grid.coarse(CD)
ORGAN = Envelope(attack_s=0.1, release_s=8.0)


def struck() -> Voice:
    """A note whose upper half dies within a second."""
    modes = Modes(ratios=(1, 2, 3, 4, 18, 30), levels_db=(0,) * 6, t60_s=(9, 8, 0.5, 0.4, 0.3, 7))
    envelope = Envelope(attack_s=0.004, release_s=8.0)
    return voices_of_note(patch_of(partials=modes, envelope=envelope), seconds=20)[0]


def rows_on(voice: Voice, at_s: float) -> list[Rows]:
    """On the full, the middle and the coarse grid."""
    frame = voice.timing.at + CD.frames(at_s)
    return [voice.on(on, frame).rows for on in (FULL, MIDDLE, COARSE)]


def test_a_struck_note_is_young_on_the_full_grid() -> None:
    """In its first 200 ms all partials have the finer borders."""
    assert [len(rows) for rows in rows_on(struck(), 0.1)] == [6, 0, 0]


def test_later_partials_lie_on_the_grid_of_their_frequency() -> None:
    """After 200 ms only partials over 0.16 of the rate stay on the full grid."""
    full, middle, coarse = rows_on(struck(), 0.25)
    assert [len(full), len(middle), len(coarse)] == [1, 1, 4]
    assert full.freq_hz.min() >= grid.MIDDLE_BELOW * RATE_HZ > middle.freq_hz.max()
    assert middle.freq_hz.min() >= grid.COARSE_BELOW * RATE_HZ > coarse.freq_hz.max()


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", ["warm_pad", "church_bell", "felt_piano", "soft_kick"])
def test_every_partial_is_on_one_grid(name: str, rate_hz: int) -> None:
    """Before any has died, the grids together hold each partial once."""
    audio = AudioFormat(rate_hz)
    voice = voices_of_note(library()[name], audio=audio)[0]
    for at_s in (0.0, 0.15, 0.21):
        frame = min(voice.timing.at + audio.frames(at_s), voice.timing.thinner[0] - 1)
        grids = (grid.full(audio), grid.middle(audio), grid.coarse(audio))
        found = np.concatenate([voice.on(on, frame).rows.freq_hz for on in grids])
        assert np.array_equal(np.sort(found), np.sort(voice.rows.freq_hz))


def test_partials_that_have_died_are_left_out() -> None:
    """Three of six are gone after they have fallen by 90 dB; the others ring on."""
    voice = struck()
    assert [sum(map(len, rows_on(voice, at_s))) for at_s in (0.25, 0.8)] == [6, 3]
    assert sum(map(len, rows_on(voice, 3.0))) == 3


def test_a_sustained_note_keeps_its_partials() -> None:
    """What does not decay is rendered from beginning to end as one and the same."""
    voice = voices_of_note(patch_of(partials=Harmonics(count=8), envelope=ORGAN), seconds=5)[0]
    first = voice.on(COARSE, 0)
    assert all(voice.on(COARSE, frame) is first for frame in range(0, voice.timing.silent - 1, 4410))


def test_each_age_is_placed_once() -> None:
    """Between two ages the very same tables are given: what is on the device can stay there."""
    voice = struck()
    for at_s in (0.0, 0.3, 3.0):
        frame = CD.frames(at_s)
        assert voice.on(COARSE, frame) is voice.on(COARSE, frame + 4410)


def test_a_steady_note_moves_only_at_its_ends() -> None:
    """Every border is needed while it rises and, if its release is short, from its end on."""
    envelope = Envelope(attack_s=0.1, release_s=0.4)
    voice = voices_of_note(patch_of(partials=Harmonics(count=2), envelope=envelope), seconds=3)[0]
    moves = [voice.moves(at, at + 4410) for at in range(0, voice.timing.silent, 4410)]
    assert moves == [True] * 2 + [False] * 28 + [True] * (len(moves) - 30)


def test_tremolo_always_moves() -> None:
    """Levels that swing at 4 Hz can't be interpolated over 100 ms."""
    patch = patch_of(partials=Harmonics(count=2), motion=Motion(tremolo_db=3), envelope=ORGAN)
    voice = voices_of_note(patch, seconds=3)[0]
    assert all(voice.moves(at, at + 4410) for at in range(0, voice.timing.silent, 4410))


@pytest.mark.parametrize(("fast_db_s", "chunks"), [(300, 2), (40, 10), (3, 2)])
def test_a_decay_moves_while_it_is_steep(fast_db_s: float, chunks: int) -> None:
    """A decay that is over soon or slow needs few chunks; one of 40 dB/s needs the first second."""
    patch = patch_of(
        partials=Harmonics(count=1),
        decay=Decay(fast_db_s=fast_db_s),
        envelope=Envelope(attack_s=0.004, release_s=9),
    )
    voice = voices_of_note(patch, seconds=10)[0]
    moving = sum(voice.moves(at, at + 4410) for at in range(0, min(voice.timing.silent, 12 * 4410), 4410))
    assert moving == pytest.approx(chunks, abs=2)


def test_a_selection_of_rows_keeps_their_columns_together() -> None:
    """``where`` takes the same partials from every table."""
    rows = struck().rows
    keep = np.arange(len(rows)) % 2 == 0
    some = rows.where(keep)
    for name in Rows.__slots__:
        assert np.array_equal(getattr(some, name), getattr(rows, name)[keep])
