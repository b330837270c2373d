from services.composer.form import Form
from services.composer.harmony import Progression
from services.composer.melody import Melody
from services.composer.memory import Memory, Recollection, kept, recalled
from services.composer.motif import Motif
from services.composer.scene import Scene
from tests.unit.composer.pieces import piece

OLD, NEW = Motif((1, -2, 3), (2, 2, 4, 8)), Motif((2, 1), (4, 4, 4))
REFRAIN = (("i", "m9"), ("VI", "maj7"), ("iv", "m7"))
MEMORY = Memory((Recollection("minor", (OLD,), REFRAIN), Recollection("minor", (NEW,), ())))
MELODY, PROGRESSION = Melody(motifs=(NEW,)), Progression(recent=("i",))


def back(name, number, mode="minor"):
    scene = Scene(1, 500, Form(name, number, 900, 600, "tide"))
    return recalled(MEMORY, MELODY, PROGRESSION, mode, scene)


def test_half_of_the_blooms_and_dusks_recall_an_older_section_transformed():
    for name, motif in (("bloom", Motif((-1, 2, -3), OLD.halves)), ("dusk", Motif(OLD.steps, (4, 4, 8, 16)))):
        found = [back(name, number) for number in range(200)]
        changed = [(melody, chords) for melody, chords in found if melody != MELODY]
        assert 70 < len(changed) < 130
        assert all(melody.motifs == (NEW, motif) for melody, _ in changed)
        assert all(chords.refrain == REFRAIN for _, chords in changed)


def test_a_refrain_of_the_other_mode_is_not_recalled():
    assert all(back("bloom", number, "major")[1] == PROGRESSION for number in range(50))


def test_other_sections_recall_nothing():
    assert back("drift", 1) == (MELODY, PROGRESSION)


def test_the_last_four_sections_are_remembered():
    memory = Memory()
    for number in range(9):
        melody = Melody(motifs=(Motif((number, 0), (2, 2, 2)),))
        memory = kept(memory, melody, PROGRESSION, "major")
    assert [section.motifs[0].steps[0] for section in memory.sections] == [5, 6, 7, 8]


def test_a_piece_remembers_its_sections():
    assert len(piece(minutes=25).beats[-1].after.memory.sections) >= 3
