"""Small scores that the synth's tests render."""

from auralis.audio import AudioFormat
from auralis.score.entry_id import EntryId
from auralis.score.events import Automation, Batch, Event, Note, Revise
from auralis.score.score import Score

PATCH_OF = {"drone": "drone", "pad": "warm_pad", "melody": "felt_piano", "bells": "church_bell"}
FIRST = EntryId(1, 0)
SECOND = EntryId(2, 0)


def note(
    number: int, at_s: float, pitch: float, layer: str = "pad", seconds: float = 4.0, rate: int = 44_100
) -> Note:
    """A note of ``layer``'s patch."""
    return Note(
        at_frame=round(at_s * rate),
        id=number,
        duration_frames=round(seconds * rate),
        pitch=pitch,
        velocity=0.6,
        patch=PATCH_OF[layer],
        layer=layer,  # type: ignore[arg-type]
    )


def phrase(audio: AudioFormat) -> list[Event]:
    """Six seconds with every layer."""
    rate = audio.sample_rate_hz
    return [
        note(1, 0.0, 40, "drone", 6, rate),
        *(note(2 + i, 0.02 * i, pitch, "pad", 5, rate) for i, pitch in enumerate((55, 60, 64, 67))),
        *(note(10 + i, 0.3 + 0.7 * i, 72 + 2 * i, "melody", 0.5, rate) for i in range(6)),
        note(20, 1.1, 79, "bells", 3, rate),
    ]


def score_of(events: list[Event], audio: AudioFormat, seconds: float = 60.0) -> Score:
    """A score of one entry."""
    score = Score()
    ordered = tuple(sorted(events, key=lambda event: event.at_frame))
    score.apply(FIRST, Batch(revision=0, from_frame=0, until_frame=audio.frames(seconds), events=ordered))
    return score


def revised(score: Score, audio: AudioFormat, seq: int, intensity: float) -> Score:
    """``score`` after a change of intensity at chunk ``seq``."""
    frame = audio.start_frame(seq)
    events = (Revise(frame), Automation(frame, "intensity", 100, intensity))
    score.apply(SECOND, Batch(revision=1, from_frame=frame, until_frame=score.until_frame, events=events))
    return score


def lowered(score: Score, audio: AudioFormat, seq: int, quality: float) -> Score:
    """``score`` after a change of quality at chunk ``seq`` and of nothing else."""
    frame = audio.start_frame(seq)
    kept = [note for note in score.view().notes(frame, audio.frames(60)) if note.at_frame >= frame]
    events = (Revise(frame), Automation(frame, "quality", 0, quality), *kept)
    score.apply(SECOND, Batch(revision=0, from_frame=frame, until_frame=score.until_frame, events=events))
    return score
