from services.composer.form import Form, first_form, next_form
from services.composer.gestures import NONE, gestures_of
from tests.unit.composer.pieces import FORMAT, piece


def test_they_follow_one_another_within_their_section():
    form = first_form(2)
    for _ in range(30):
        found = gestures_of(2, form)
        moments = [form.begins_s, found.call, *found.thinning, *found.breath, form.ends_s]
        assert moments == sorted(moments)
        assert 3 <= found.breath[1] - found.breath[0] <= 6
        form = next_form(2, form)


def test_a_short_section_has_no_time_for_them():
    assert gestures_of(1, Form("dawn", 0, 60)) == NONE


def test_in_a_breath_only_the_drone_begins_and_the_pads_are_silent():
    """The weather continues; it has no gate to close."""
    music = piece(intensity=0.8)
    begin, end = (FORMAT.frames(second) for second in gestures_of(1, first_form(1)).breath)
    begins = {note.layer for note in music.notes if begin <= note.at_frame < end}
    assert begins <= {"drone", "texture"}
    held = [n for n in music.line("pad") if n.at_frame < begin and n.release_frame > begin]
    assert held == []


def test_the_pads_are_thin_once_in_a_section():
    music = piece()
    begin, end = (FORMAT.frames(second) for second in gestures_of(1, first_form(1)).thinning)
    inside = {n.pitch for n in music.line("pad") if begin + 44_100 <= n.at_frame < end}
    assert len(inside) <= 2


def test_three_bells_call():
    music = piece()
    call = FORMAT.frames(gestures_of(1, first_form(1)).call)
    rung = [note.pitch for note in music.line("bells") if call <= note.at_frame < call + FORMAT.frames(5)]
    assert len(rung) >= 3
