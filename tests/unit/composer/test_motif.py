from services.composer.chance import Chance
from services.composer.motif import Motif, new_rhythm, recalled, remembered

FIRST = Motif((1, -2, 3), (2, 2, 4, 8))


def returned(index):
    recall = recalled((FIRST,), -1, Chance(1, "motif"), index)
    return recall and recall.motif


def test_a_piece_without_memory_begins_with_something_new():
    assert recalled((), -1, Chance(1, "motif"), 0) is None


def test_most_phrases_are_an_old_motif_often_as_it_was_else_varied():
    back = [returned(n) for n in range(1000)]
    assert 0.7 < sum(motif is not None for motif in back) / 1000 < 0.82
    assert 0.3 < back.count(FIRST) / 1000 < 0.5
    for variation in (
        Motif((1, -2), (2, 2, 4)),
        Motif((-1, 2, -3), (2, 2, 4, 8)),
        Motif((1, -2, 3), (4, 4, 8, 16)),
        Motif((-3, 2, -1), (8, 4, 2, 2)),
    ):
        assert variation in back


def test_memory_keeps_the_first_motif_and_the_latest():
    kept = ()
    for number in range(20):
        kept = remembered(kept, Motif((1, -1), (2 + number,) * 3))
    assert [motif.halves[0] - 2 for motif in kept] == [0, 13, 14, 15, 16, 17, 18, 19]


def test_some_motifs_return_after_the_one_that_they_followed():
    second = Motif((2, 1), (4, 4, 4))
    chance = Chance(1, "motif")
    alone = [recalled((FIRST, second), -1, chance, n) for n in range(1000)]
    paired = [recalled((FIRST, second), 0, chance, n) for n in range(1000)]
    followed = [b for a, b in zip(alone, paired, strict=True) if a != b]
    assert 80 < len(followed) < 170
    assert all(recall == (second, 1) for recall in followed)
    assert [recalled((FIRST, second), 1, chance, n) for n in range(1000)] == alone


def test_two_notes_are_no_motif_and_one_with_two_leaps_is_not_sung_again():
    assert remembered((), Motif((1,), (2, 2))) == ()
    assert remembered((FIRST,), Motif((4, -3), (2, 2, 2))) == (FIRST,)
    assert remembered((FIRST,), Motif((1, -1), (6, 2, 8))) == (FIRST,)


def test_an_ornament_turns_the_longest_note_over_the_step_above():
    back = [returned(n) for n in range(1000)]
    assert Motif((1, -2, 3, 1, -1), (2, 2, 4, 6, 1, 1)) in back


def test_a_new_rhythm_prefers_cells_that_leave_room_for_all_its_notes():
    rhythms = [new_rhythm(((8,), (2, 2)), 5, 12, Chance(1, "rhythm"), n) for n in range(200)]
    assert 80 < sum(sum(rhythm) <= 12 for rhythm in rhythms) < 180


def test_a_new_rhythm_is_made_of_the_sections_cells():
    rhythm = new_rhythm(((4, 2, 2), (8,)), 5, 40, Chance(1, "rhythm"), 0)
    assert len(rhythm) == 5
    assert set(rhythm) <= {2, 4, 8}
