from auralis.keys import parse_key
from services.composer.chords import harmony_of
from services.composer.form import Form
from services.composer.melody import Melody, advanced, hushed
from services.composer.phrase import PlannedNote, Stretch
from services.composer.scene import Scene

CHORD = harmony_of(parse_key("G major"), "I", "maj9")
NOTE = PlannedNote(40, 8, 71, 500)


def scene(level=500):
    return Scene(1, level, Form("drift", 0, 300))


def stretch(beat):
    return Stretch(beat * 4, CHORD, CHORD, 4000, 60_000)


def first_phrase_after(melody, level):
    """How many beats pass until a phrase begins."""
    for beat in range(100):
        after = advanced(melody, stretch(beat), scene(level))
        if after.phrase:
            return beat
    raise AssertionError("it never begins")


def test_a_phrase_is_finished_before_the_next_one_is_planned():
    melody = Melody(phrase=(NOTE,))
    assert advanced(melody, stretch(90), scene()) is melody


def test_rests_are_shorter_at_high_intensity_from_the_next_beat_on():
    melody = Melody(silent_since=0, last_ticks=32, index=4)
    assert first_phrase_after(melody, 0) > first_phrase_after(melody, 1000)


def test_a_new_phrase_is_remembered_as_a_motif():
    melody = advanced(Melody(), stretch(20), scene())
    assert len(melody.motifs) == 1
    assert melody.motifs[0].halves == tuple(note.ticks // 2 for note in melody.phrase)


def test_hushing_drops_the_rest_of_the_phrase_and_begins_a_silence():
    assert hushed(Melody(phrase=(NOTE,), silent_since=48), 36) == Melody(silent_since=36)
    assert hushed(Melody(silent_since=10), 36) == Melody(silent_since=10)
