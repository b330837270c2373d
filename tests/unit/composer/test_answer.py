from auralis.keys import parse_key
from services.composer.answer import Answer, answered, silenced
from services.composer.chords import harmony_of
from services.composer.form import Form
from services.composer.melody import Melody, advanced
from services.composer.phrase import PlannedNote, Stretch
from services.composer.scene import Scene
from tests.unit.composer.pieces import SEEDS, piece

CHORD = harmony_of(parse_key("G major"), "I", "maj9")


def scene(level=1000, name="bloom"):
    return Scene(1, level, Form(name, 0, 300))


def stretch(beat):
    return Stretch(beat * 4, CHORD, CHORD, 4000, 60_000)


def sung(index):
    """A melody whose phrase ended on beat 30."""
    melody = advanced(Melody(index=index), stretch(20), scene())
    return Melody((), 120, melody.last_ticks, melody.index, melody.motifs, melody.balance, melody.shape)


def test_it_waits_for_the_end_of_the_phrase():
    melody = advanced(Melody(), stretch(20), scene())
    assert answered(Answer(), melody, stretch(40), scene()) == Answer()


def test_some_phrases_are_answered_after_a_beat_or_two_and_only_once():
    count = 0
    for index in range(60):
        melody, answer, begun = sung(index), Answer(), None
        for beat in range(30, 36):
            before, answer = answer, answered(answer, melody, stretch(beat), scene())
            begun = beat if answer.phrase and not before.phrase else begun
        assert answer.heard == melody.index
        assert begun in (None, 31, 32)
        count += begun is not None
    assert 20 < count < 55


def test_it_is_lower_and_softer_than_the_melody():
    notes = [
        note for index in range(60) for note in answered(Answer(), sung(index), stretch(33), scene()).phrase
    ]
    assert notes
    assert all(55 <= note.pitch <= 74 for note in notes)
    assert all(note.pitch % 12 in CHORD.scale for note in notes)


def test_a_layer_that_is_off_answers_nothing():
    assert not any(answered(Answer(), sung(n), stretch(33), scene(0, "drift")).phrase for n in range(40))


def test_it_falls_silent_when_its_harmony_has_gone():
    note = PlannedNote(40, 8, 71, 500)
    assert silenced(Answer((note,), 3)) == Answer((), 3)


def test_melody_and_answer_take_turns():
    for seed in SEEDS:
        music = piece(seed, intensity=1.0)
        melody = music.line("melody")
        for note in music.line("answer"):
            sounding = [m for m in melody if m.at_frame < note.at_frame < m.release_frame - 4410]
            assert sounding == []
