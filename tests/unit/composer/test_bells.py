from itertools import combinations, pairwise

from msgspec.structs import replace

from auralis.controls import Controls
from services.composer import bells, textures
from services.composer.bells import Air, firings
from services.composer.chance import Chance
from services.composer.chords import harmony_of
from services.composer.conduct import initial_state
from services.composer.draft import Draft
from tests.unit.composer.pieces import FORMAT, MODES, piece

PERIODS = (17_700, 23_100)


def test_a_loop_returns_after_its_period_whatever_the_beats():
    chance, frames = Chance(1, "loop"), []
    controls = Controls(bpm=47.0)
    state = initial_state(1, 1000, controls)
    for _ in range(200):
        draft = Draft(state, state.scene(controls, 44_100), 44_100)
        frames += [firing for firing in firings(PERIODS, chance, 1000, draft) if firing.loop == 0]
        state = replace(state, frame=draft.end)
    assert [firing.turn for firing in frames] == list(range(len(frames)))
    assert {b.frame - a.frame for a, b in pairwise(frames)} == {780_570}


def test_bells_ring_colours_that_fit_the_next_chord_too():
    major = Controls(key="C major").musical_key
    air = Air(harmony_of(major, "I", "maj7"), harmony_of(major, "bVII", "add9"), 0, 0, 0, 0)
    assert set(air.tones) == {4, 7}  # neither the root nor the seventh that the next chord flattens


def test_bells_keep_to_their_range_and_the_scale():
    for key in MODES:
        for beat in piece(key=key, intensity=1.0).beats:
            for note in beat.line("bells"):
                assert 60 <= note.pitch <= 84
                assert note.pitch % 12 in beat.after.chord.tones


def test_rising_intensity_only_adds_bells():
    frames = [
        {note.at_frame // FORMAT.sample_rate_hz for note in piece(intensity=level).line("bells")}
        for level in (0.0, 0.5, 1.0)
    ]
    assert len(frames[0] - frames[1]) <= 2  # the human delay may move one across a second
    assert len(frames[1] - frames[2]) <= 4


def test_no_two_loops_realign_soon():
    """No ratio of two periods is within 1 % of a small fraction, and none of two tuned ones within 2 %."""
    tuned = [*bells._BELL_PERIODS_MS, *bells._DRONE_PERIODS_MS, *textures._LIGHT_MS]
    fractions = {a / b for a in range(1, 7) for b in range(1, 7)}
    for periods, least in ((tuned, 0.02), ([*tuned, *textures._PERIODS_MS], 0.01)):
        for one, other in combinations(periods, 2):
            assert min(abs(one / other / fraction - 1) for fraction in fractions) >= least
