"""Musical measures checked on scores small enough to count by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.keys import parse_key
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Chord, Event, Note
from auralis.score.score import Score
from auralis.score.stretch import Stretch, stretch_of
from services.offline.exports import stretch_of_piece
from services.offline.piece import composed
from services.offline.report import music
from services.offline.report.bands import measures

AUDIO = AudioFormat()
SECONDS = 600.0


def note(at_s: float, pitch: int, length_s: float = 1.0, layer: Any = "melody") -> Note:
    at = AUDIO.frames(at_s)
    return Note(at, round(1000 * at_s) * 128 + pitch, AUDIO.frames(length_s), pitch, 0.5, "flute", layer)


def chord(at_s: float, root: int, quality: str, degree: str, *pitches: float) -> Chord:
    return Chord(AUDIO.frames(at_s), AUDIO.frames(4), root, quality, degree, pitches)


def stretch(*events: Event, seconds: float = SECONDS) -> Stretch:
    score = Score()
    end = AUDIO.frames(seconds)
    score.apply(EntryId(1, 0), Batch(0, 0, end, events))
    return stretch_of(score.view(), AUDIO, 0, end)


TONIC = chord(0, 9, "m7", "i", 45, 60, 64, 67)
SUBDOMINANT = chord(10, 2, "m7", "iv", 50, 60, 65, 69)


def test_a_melody_is_shared_by_what_its_tones_are() -> None:
    """Over an A minor seventh chord: E belongs to the chord, B to the key, G# to neither."""
    shares = music.melody_shares(stretch(TONIC, note(0, 64, 7), note(7, 71, 2), note(9, 68, 1)))
    assert shares == pytest.approx((0.7, 0.2, 0.1))


def test_a_note_counts_for_each_chord_that_it_spans() -> None:
    """G is the seventh of the first chord; in the second it belongs only to the key."""
    shares = music.melody_shares(stretch(TONIC, SUBDOMINANT, note(8, 67, 5)))
    assert shares == pytest.approx((0.4, 0.6, 0))


def test_the_tones_of_a_borrowed_chord_are_not_outside() -> None:
    """F# is not outside over the major IV of A minor; over i it is."""
    borrowed = chord(10, 2, "add9", "IV", 50, 57, 62, 66)
    assert music.outside_share(stretch(TONIC, borrowed, note(10, 66, 2, "bells"))) == 0
    assert music.outside_share(stretch(TONIC, borrowed, note(8, 66, 4, "bells"))) == pytest.approx(0.5)


def test_percussion_and_weather_have_no_pitch() -> None:
    drums = [note(1, 66, 1, "percussion"), note(2, 66, 9, "texture")]
    assert math.isnan(music.outside_share(stretch(TONIC, *drums)))
    assert music.pitch_class_seconds(stretch(TONIC, *drums)) == (0.0,) * 12


def test_voice_leading_is_the_mean_move_above_the_bass() -> None:
    """Moves of 0, 1 and 2 semitones; the bass does not count."""
    assert music.voice_leading([TONIC, SUBDOMINANT]) == pytest.approx(1)


def test_entropies_are_those_of_their_shares() -> None:
    four = [note(n, 60 + n, 1) for n in range(4)]
    assert music.pitch_class_entropy(stretch(TONIC, *four)) == pytest.approx(2)
    assert math.isnan(music.entropy([]))
    assert music.entropy([1, 1, 1, 1, 1, 1, 1, 1, 0]) == pytest.approx(3)


def test_chord_entropy_is_about_what_follows() -> None:
    """A circle of three has none; i leads to two places equally often, and each leads back: half a bit."""
    degrees = ("i", "VI", "iv")
    circle = [chord(n, 9, "m7", degrees[n % 3], 45.0) for n in range(100)]
    assert music.chord_entropy(circle) == 0
    forked = [chord(n, 9, "m7", ("i", "VI", "i", "iv")[n % 4], 45.0) for n in range(100)]
    assert music.chord_entropy(forked) == pytest.approx(0.5, abs=0.01)


def test_a_scale_is_consistent_with_itself() -> None:
    scale = [note(n, 60 + step) for n, step in enumerate((0, 2, 4, 5, 7, 9, 11))]
    assert music.scale_consistency(stretch(TONIC, *scale)) == 1
    assert music.scale_consistency(stretch(TONIC, *scale, note(8, 61))) == pytest.approx(7 / 8)


def test_the_tonal_centroid_stays_with_the_chord_and_moves_far_for_a_tritone() -> None:
    """They lie opposite each other on the circle of fifths."""
    c, same, tritone = (chord(n, 0, "add9", "I", *p) for n, p in enumerate(((60,), (72,), (66,))))
    assert music.centroid_step([c, same]) == pytest.approx(0, abs=1e-9)
    assert music.centroid_step([c, tritone]) == pytest.approx(math.hypot(2, 2))


def test_rhythm_contrast_of_a_pulse_is_0_and_of_long_short_is_large() -> None:
    """The nPVI of 2:1 is 100 · 1 / 1.5."""
    pulse = [note(n, 60 + n % 3) for n in range(8)]
    assert music.rhythm_contrast(stretch(TONIC, *pulse)) == pytest.approx(0, abs=0.2)
    swung = [note(3 * (n // 2) + 2 * (n % 2), 60) for n in range(8)]
    assert music.rhythm_contrast(stretch(TONIC, *swung)) == pytest.approx(100 / 1.5, abs=0.2)
    assert music.duration_entropy(stretch(TONIC, *swung)) == pytest.approx(1, abs=0.02)


def test_a_figure_that_comes_again_was_heard_before() -> None:
    """Even when transposed; no figure spans a rest."""
    figure = [(0, 60), (1, 62), (2, 64)]
    once = [note(at, pitch) for at, pitch in figure]
    again = [note(20 + at, pitch + 5) for at, pitch in figure]
    assert music.recurrence(stretch(TONIC, *once)) == 0
    assert music.recurrence(stretch(TONIC, *once, *again)) == 0.5


def test_eight_bars_that_come_again_are_counted() -> None:
    """At 60 beats per minute they last 32 s."""
    bars = [note(4 * n, 60 + n) for n in range(8)]
    later = [replace_at(each, 32) for each in bars]
    assert music.exact_repeats(stretch(*bars)) == 0
    assert music.exact_repeats(stretch(*bars, *later)) >= 1
    assert music.exact_repeats(stretch(*bars, *later[:-1], note(60.5, 67))) == 0


def replace_at(event: Note, seconds: float) -> Note:
    return note(AUDIO.seconds(event.at_frame) + seconds, round(event.pitch))


def test_intervals_of_folk_song_are_not_unlike_it() -> None:
    """A line of seconds, a fourth and a third resembles it more than one of octaves does."""
    near = [60, 62, 64, 64, 62, 60, 65, 64, 62, 62, 60, 63]
    far = [60, 72] * 6
    apart = [
        music.interval_divergence(stretch(TONIC, *(note(n, pitch) for n, pitch in enumerate(line))))
        for line in (near, far)
    ]
    assert apart[0] < 0.2
    assert 0.5 < apart[1] <= 1


def test_nothing_has_no_measures() -> None:
    """NaN, and no complaint."""
    for measure in measures(stretch()):
        assert measure.value == 0 or math.isnan(measure.value)
        assert measure.within is not False


@pytest.mark.parametrize("key", ["A minor", "Eb major"])
def test_a_composed_piece_is_measured_in_its_own_key(key: str) -> None:
    """Every measure is a number, and hardly anything lies outside the key."""
    end = AUDIO.frames(SECONDS)
    piece = stretch_of_piece(composed(2, Controls(key=key), SECONDS, AUDIO), AUDIO, end)
    assert [mark.key for mark in piece.keys] == [parse_key(key)]
    assert not any(math.isnan(measure.value) for measure in measures(piece))
    assert music.outside_share(piece) < 0.05
    assert sum(music.melody_shares(piece)) == pytest.approx(1)
    moved = replace(piece, notes=tuple(_up(each) for each in piece.notes))
    assert music.outside_share(moved) > 0.3


def _up(event: Note) -> Note:
    return note(
        AUDIO.seconds(event.at_frame), round(event.pitch) + 1, event.duration_frames / 44_100, event.layer
    )
