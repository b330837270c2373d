from services.composer.form import SECTIONS
from tests.unit.composer.pieces import MODES, piece


def test_it_sings_colours_of_the_chord_within_its_range():
    for key in MODES:
        sung = 0
        for beat in piece(key=key, intensity=1.0).beats:
            for note in beat.line("choir"):
                sung += 1
                assert 57 <= note.pitch <= 77
                assert note.pitch % 12 in set(beat.after.chord.tones) - {beat.after.chord.root}
        assert sung > 20


def test_no_tone_outlasts_its_chord_or_a_breath():
    for beat in piece(intensity=1.0).beats:
        left = (beat.after.chord_ends - beat.before.beat) * (beat.after.frame - beat.before.frame)
        for note in beat.line("choir"):
            assert note.release_frame <= beat.before.frame + left
            assert note.duration_frames <= 12 * 44_100


def test_it_is_silent_where_the_form_says_so():
    silent = [
        beat for beat in piece().beats if beat.after.form.name == "drift" and beat.before.frame < 44_100 * 240
    ]
    assert SECTIONS["drift"].level("choir") == 0
    assert silent
    assert not any(beat.line("choir") for beat in silent)
