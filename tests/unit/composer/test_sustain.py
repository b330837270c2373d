import pytest

from tests.unit.composer.pieces import FORMAT, MODES, piece


def silences(notes, until):
    """How many frames pass between the notes during which nothing sounds."""
    end, gaps = notes[0].at_frame, []
    for note in sorted(notes, key=lambda note: note.at_frame):
        if note.at_frame > end:
            gaps.append((end, note.at_frame))
        end = max(end, note.release_frame)
    return gaps if end >= until else [*gaps, (end, until)]


@pytest.mark.parametrize("bpm", [40.0, 83.0, 120.0])
@pytest.mark.parametrize("intensity", [0.0, 0.5, 1.0])
def test_drone_and_pads_never_fall_silent(bpm, intensity):
    music = piece(seed=2, bpm=bpm, intensity=intensity, minutes=3)
    for layer in ("drone", "pad"):
        assert silences(music.line(layer), FORMAT.frames(180)) == []


def test_pads_overlap_where_the_chord_changes():
    music = piece()
    for beat in music.changes[1:]:
        frame = beat.before.frame
        held = [note for note in music.line("pad") if note.at_frame < frame < note.release_frame]
        assert held


def test_a_tone_that_the_next_chord_shares_is_held_over_the_change():
    music = piece()
    held = 0
    for beat in music.changes[1:]:
        frame = beat.before.frame
        held += any(
            note.at_frame < frame and note.release_frame > frame + FORMAT.frames(1)
            for note in music.line("pad")
        )
    assert held / len(music.changes) > 0.5


def test_below_a_low_intensity_the_chord_is_thinner():
    def voices(level):
        return {note.pan for note in piece(intensity=level).line("pad")}

    assert len(voices(0.1)) == 3
    assert len(voices(0.2)) == 4


@pytest.mark.parametrize("key", MODES)
def test_sustained_tones_are_those_of_the_chord(key):
    for beat in piece(key=key).beats:
        for note in beat.line("pad"):
            assert note.pitch % 12 in beat.after.chord.tones
        assert all(
            note.pitch % 12 in (beat.after.chord.bass, (beat.after.chord.root + 7) % 12)
            for note in beat.line("drone")
        )
