"""The tape: what is kept of a channel's past; no rendered byte depends on it."""

import pytest

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch
from auralis.score.score import Score
from services.synth.mix import tape
from services.synth.mix.tape import Tape
from services.synth.renderer import Job, Renderer
from tests.device import DEVICE
from tests.unit.synth.scores import FIRST, SECOND, phrase, revised, score_of

AUDIO = AudioFormat()
DEPTH = 20
ECHOES = 5
LAST = range(44, 52)


@pytest.fixture
def score() -> Score:
    return score_of(phrase(AUDIO), AUDIO)


def seqs(tape_: Tape, score: Score, version: EntryId, seq: int) -> list[int]:
    return [take.seq for take in tape_.upto(score, version, seq)]


def chunks(renderer: Renderer, score: Score, wanted: range, version: EntryId = FIRST) -> list[bytes]:
    return [renderer.render([Job(7, score, seq, Versions(version, version))])[0] for seq in wanted]


def test_takes_reach_back_by_the_depth_or_to_the_first_chunk(score: Score) -> None:
    assert seqs(Tape(AUDIO, DEPTH, ECHOES), score, FIRST, 40) == list(range(21, 41))
    assert seqs(Tape(AUDIO, DEPTH, ECHOES), score, FIRST, 5) == list(range(6))


def test_before_the_score_there_is_nothing() -> None:
    score = Score()
    score.apply(FIRST, Batch(0, AUDIO.start_frame(10), AUDIO.start_frame(90), ()))
    assert seqs(Tape(AUDIO, DEPTH, ECHOES), score, FIRST, 9) == []
    assert seqs(Tape(AUDIO, DEPTH, ECHOES), score, FIRST, 12) == [10, 11, 12]
    assert Tape(AUDIO, DEPTH, ECHOES).upto(Score(), FIRST, 5) == []


def test_chunk_by_chunk_gives_the_same_takes_as_looking_back(score: Score) -> None:
    """Asked for again, a take is the same object."""
    going, looking = Tape(AUDIO, DEPTH, ECHOES), Tape(AUDIO, DEPTH, ECHOES)
    for seq in range(60):
        takes = going.upto(score, FIRST, seq)
        assert takes[-1] is going.upto(score, FIRST, seq)[-1]
    assert [take.seq for take in takes] == seqs(looking, score, FIRST, 59)


def test_chunks_before_a_revision_are_the_same_takes_in_both_versions(score: Score) -> None:
    """From the revision on there are two takes of each chunk, one for each version."""
    revised(score, AUDIO, 30, 1.0)
    kept = Tape(AUDIO, DEPTH, ECHOES)
    old, new = kept.upto(score, FIRST, 35), kept.upto(score, SECOND, 35)
    same = [one.seq for one, other in zip(old, new, strict=True) if one is other]
    assert same == list(range(16, 30))
    assert {take.view.version for take in new[-6:]} == {SECOND}


def test_a_version_that_does_not_affect_a_chunk_shares_its_take(score: Score) -> None:
    """A later entry that begins after the chunk changes nothing of it."""
    kept = Tape(AUDIO, DEPTH, ECHOES)
    before = kept.upto(score, FIRST, 25)[-1]
    revised(score, AUDIO, 30, 1.0)
    assert kept.upto(score, SECOND, 25)[-1] is before


def test_a_tape_does_not_grow(score: Score) -> None:
    """It keeps its depth and what may be rendered again, however often the score changes."""
    kept = Tape(AUDIO, DEPTH, ECHOES)
    for seq in range(400):
        if seq % 50 == 7:
            frame = AUDIO.start_frame(seq + 3)
            score.apply(EntryId(10 + seq, 0), Batch(0, frame, AUDIO.frames(60), ()))
        kept.upto(score, score.last_id, seq)
        assert len(kept._takes) <= DEPTH + tape.WHOLE_TAKES + tape._SLACK + 1


@pytest.mark.parametrize("whole", [4, 10])
def test_chunks_that_were_shrunk_and_are_asked_for_again_are_the_same(
    score: Score, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may go back further than the takes that it keeps whole."""
    expected = chunks(Renderer(AUDIO, DEVICE), score, LAST)
    monkeypatch.setattr(tape, "WHOLE_TAKES", whole)
    renderer = Renderer(AUDIO, DEVICE)
    chunks(renderer, score, range(30, 70))
    assert chunks(renderer, score, LAST) == expected


def test_chunks_that_were_forgotten_and_are_asked_for_again_are_the_same(
    score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little the tape keeps."""
    expected = chunks(Renderer(AUDIO, DEVICE), score, LAST)
    monkeypatch.setattr(tape, "WHOLE_TAKES", 1)
    renderer = Renderer(AUDIO, DEVICE)
    assert chunks(renderer, score, LAST) == expected
    chunks(renderer, score, range(300, 303))
    assert chunks(renderer, score, LAST) == expected


def test_two_versions_in_turn_do_not_disturb_each_other(score: Score) -> None:
    """As at a seam, where each chunk needs both."""
    revised(score, AUDIO, 46, 1.0)
    old, new = (chunks(Renderer(AUDIO, DEVICE), score, LAST, version) for version in (FIRST, SECOND))
    renderer = Renderer(AUDIO, DEVICE)
    for index, seq in enumerate(LAST):
        assert chunks(renderer, score, range(seq, seq + 1), SECOND) == [new[index]]
        assert chunks(renderer, score, range(seq, seq + 1), FIRST) == [old[index]]
