"""The channels that are measured are written the way the composer writes them."""

from auralis.audio import AudioFormat
from auralis.score.events import Note
from services.bench.channels import piece, written

AUDIO = AudioFormat()


def test_a_piece_is_written_in_entries_of_a_second() -> None:
    """A chunk knows no more of the score than it would in a live stream; in the end all of it is there."""
    whole = piece(1, 2.0, AUDIO)
    score = written(whole, AUDIO)
    middle = score.version_for(AUDIO.end_frame(615))
    assert middle == score.version_for(AUDIO.end_frame(619))
    assert middle != score.version_for(AUDIO.end_frame(620))
    assert score.until_frame == whole.until_frame
    played = [each for each in whole.events if isinstance(each, Note)]
    assert played
    assert set(score.view().notes(0, whole.until_frame)) == set(played)
