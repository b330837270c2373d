"""Measures of a stretch of music, each computed from the score as one number.

The bands that they are compared with, and where these come from, are in
:mod:`services.offline.report.bands`. A measure without data (no melody, one chord) is NaN.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from auralis.midi.tempo_map import TICKS_PER_BEAT, TempoMap, tempo_map
from auralis.score.events import Chord, Layer, Note
from auralis.score.stretch import Stretch
from services.offline.report.tones import Harmony, Tones, tones_of

# Layers without an audible pitch.
UNPITCHED: Final[frozenset[Layer]] = frozenset({"percussion", "texture"})
_MELODY: Final[Layer] = "melody"
_SUNG: Final[frozenset[Layer]] = frozenset({"melody", "answer", "bells"})
_CHORDS_A_WINDOW: Final = 100
_LONGEST_STEP_BEATS: Final = 4.0  # a longer gap is a rest between phrases
_BEATS_A_BAR: Final = 4
_BARS: Final = 8
_SIXTEENTHS: Final = 4
# Melodic intervals of European folk song (Essen collection): unison, m2, M2, m3, M3, P4, P5, sixths, octave.
_FOLK_SONG: Final = (21.0, 15.0, 35.0, 11.0, 6.0, 6.5, 2.1, 1.5, 0.3)
_CATEGORIES: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 7: 6, 8: 7, 9: 7, 12: 8}


class Shares(NamedTuple):
    """The share of each kind of tone in the melody's sounding time; they add up to 1."""

    chord: float
    scale: float
    chromatic: float


def melody_shares(stretch: Stretch) -> Shares:
    """By duration; a note that outlasts a chord is counted under each chord that it spans."""
    kinds, harmonies = [0, 0, 0], tones_of(stretch)
    for note in _of(stretch, {_MELODY}):
        for tones, frames in _spans(note, harmonies):
            pitch_class = round(note.pitch) % 12
            kinds[0 if pitch_class in tones.chord else 1 if pitch_class in tones.scale else 2] += frames
    total = sum(kinds)
    return Shares(*(kind / total if total else math.nan for kind in kinds))


def outside_share(stretch: Stretch) -> float:
    """The share of all pitched notes' sounding time outside key and chord."""
    inside, outside, harmonies = 0, 0, tones_of(stretch)
    for note in _pitched(stretch):
        for tones, frames in _spans(note, harmonies):
            if round(note.pitch) % 12 in tones.scale | tones.chord:
                inside += frames
            else:
                outside += frames
    return outside / (inside + outside) if inside + outside else math.nan


def voice_leading(chords: Sequence[Chord]) -> float:
    """Semitones that a voice above the bass moves from chord to chord, on average."""
    moves = [
        abs(after - before)
        for old, new in pairwise(chords)
        if len(old.pitches) == len(new.pitches)
        for before, after in zip(old.pitches[1:], new.pitches[1:], strict=True)
    ]
    return _mean(moves)


def pitch_class_seconds(stretch: Stretch) -> tuple[float, ...]:
    """How long each of the twelve pitch classes sounds, C first, over all pitched notes."""
    seconds = [0.0] * 12
    for note in _pitched(stretch):
        seconds[round(note.pitch) % 12] += stretch.audio.seconds(note.duration_frames)
    return tuple(seconds)


def pitch_class_entropy(stretch: Stretch) -> float:
    """In bits, weighted by duration; 3.58 if all twelve were equal."""
    return entropy(pitch_class_seconds(stretch))


def scale_consistency(stretch: Stretch) -> float:
    """The share of pitched time in the diatonic scale that holds the most of it."""
    seconds = pitch_class_seconds(stretch)
    scales = ([(tonic + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)] for tonic in range(12))
    best = max(sum(seconds[pitch_class] for pitch_class in scale) for scale in scales)
    return best / sum(seconds) if sum(seconds) else math.nan


def chord_entropy(chords: Sequence[Chord]) -> float:
    """In bits: how open the next degree is, given the current one, over windows of 100 chords."""
    windows = [chords[at : at + _CHORDS_A_WINDOW] for at in range(0, len(chords), _CHORDS_A_WINDOW)]
    whole = [window for window in windows if len(window) == _CHORDS_A_WINDOW] or windows[:1]
    return _mean([_conditional_entropy([chord.degree for chord in window]) for window in whole])


def centroid_step(chords: Sequence[Chord]) -> float:
    """How far the tonal centroid moves from chord to chord (Harte 2006: fifths, minor and major thirds)."""
    centroids = [_centroid(chord) for chord in chords if chord.pitches]
    return _mean([math.dist(one, other) for one, other in pairwise(centroids)])


def interval_divergence(stretch: Stretch) -> float:
    """Bits of Jensen-Shannon divergence between the melody's intervals and those of folk song."""
    steps = (abs(round(b.pitch) - round(a.pitch)) for a, b in _phrased(stretch))
    counts = Counter(_CATEGORIES[step] for step in steps if step in _CATEGORIES)
    if not counts:
        return math.nan
    found = _normal([float(counts[category]) for category in range(len(_FOLK_SONG))])
    known = _normal(_FOLK_SONG)
    middle = [(one + other) / 2 for one, other in zip(found, known, strict=True)]
    return entropy(middle) - (entropy(found) + entropy(known)) / 2


def rhythm_contrast(stretch: Stretch) -> float:
    """The melody's nPVI: how different neighbouring durations are, 0 for a pulse (Grabe and Low 2002)."""
    steps = _steps_beats(stretch)
    unlike = [abs(a - b) / ((a + b) / 2) for a, b in pairwise(steps)]
    return 100 * _mean(unlike)


def duration_entropy(stretch: Stretch) -> float:
    """In bits, over the melody's durations from onset to onset, in half beats."""
    return entropy(list(Counter(round(2 * step) for step in _steps_beats(stretch)).values()))


def recurrence(stretch: Stretch) -> float:
    """The share of the melody's three-note figures (steps and ratio of durations) that were heard before."""
    notes = [(a, b) for a, b in _phrased(stretch)]
    ticks = _ticks(stretch)
    figures = [
        _figure(first, middle, last, ticks)
        for (first, middle), (again, last) in pairwise(notes)
        if middle is again
    ]
    return 1 - len(set(figures)) / len(figures) if figures else math.nan


def exact_repeats(stretch: Stretch) -> int:
    """How often eight bars repeat earlier ones exactly, in chords, melody, answer and bells."""
    bars: dict[int, set[Hashable]] = {}
    ticks = _ticks(stretch)
    for note in _of(stretch, _SUNG):
        slot = round(ticks.tick(note.at_frame) * _SIXTEENTHS / TICKS_PER_BEAT)
        bar, place = divmod(slot, _SIXTEENTHS * _BEATS_A_BAR)
        bars.setdefault(bar, set()).add((place, round(note.pitch)))
    for chord in stretch.chords:
        bar = round(ticks.tick(chord.at_frame) / (_BEATS_A_BAR * TICKS_PER_BEAT))
        bars.setdefault(bar, set()).add(chord.pitches)
    contents = [frozenset(bars.get(bar, ())) for bar in range(max(bars, default=-1) + 1)]
    windows = [tuple(contents[at : at + _BARS]) for at in range(len(contents) - _BARS + 1)]
    heard = [window for window in windows if any(window)]
    return len(heard) - len(set(heard))


def notes_per_minute(stretch: Stretch, layers: Iterable[Layer]) -> float:
    """Onsets per minute in ``layers``."""
    minutes = stretch.seconds / 60
    return len(_of(stretch, set(layers))) / minutes if minutes else math.nan


def entropy(weights: Sequence[float]) -> float:
    """In bits, of weights that need not add up to 1; NaN if their sum is 0."""
    total = sum(weights)
    if not total:
        return math.nan
    return -sum(weight / total * math.log2(weight / total) for weight in weights if weight)


# -- What the measures are made of


def _of(stretch: Stretch, layers: Iterable[Layer]) -> list[Note]:
    wanted = set(layers)
    return [note for note in stretch.notes if note.layer in wanted]


def _pitched(stretch: Stretch) -> list[Note]:
    return [note for note in stretch.notes if note.layer not in UNPITCHED]


def _spans(note: Note, harmonies: Sequence[Harmony]) -> Iterator[tuple[Tones, int]]:
    """The tones of each chord that the note spans, with the frames that it sounds under it."""
    first = bisect_right(harmonies, note.at_frame, key=lambda harmony: harmony.until_frame)
    for chord, tones, until in harmonies[first:]:
        if chord.at_frame >= note.release_frame:
            return
        yield tones, min(note.release_frame, until) - max(note.at_frame, chord.at_frame)


def _phrased(stretch: Stretch) -> list[tuple[Note, Note]]:
    """Pairs of successive melody notes within a phrase."""
    ticks = _ticks(stretch)
    pairs = pairwise(_of(stretch, {_MELODY}))
    return [(a, b) for a, b in pairs if 0 < _beats(a, b, ticks) <= _LONGEST_STEP_BEATS]


def _steps_beats(stretch: Stretch) -> list[float]:
    ticks = _ticks(stretch)
    return [_beats(a, b, ticks) for a, b in _phrased(stretch)]


def _beats(first: Note, second: Note, ticks: TempoMap) -> float:
    return (ticks.tick(second.at_frame) - ticks.tick(first.at_frame)) / TICKS_PER_BEAT


def _figure(first: Note, middle: Note, last: Note, ticks: TempoMap) -> tuple[int, int, int]:
    ratio = _beats(middle, last, ticks) / _beats(first, middle, ticks)
    steps = round(middle.pitch - first.pitch), round(last.pitch - middle.pitch)
    return (*steps, round(2 * math.log2(ratio)))


def _ticks(stretch: Stretch) -> TempoMap:
    return tempo_map(stretch.tempi, stretch.start_frame, stretch.audio.sample_rate_hz, default_bpm=60.0)


def _centroid(chord: Chord) -> tuple[float, ...]:
    classes = [round(pitch) % 12 for pitch in chord.pitches]
    angles = [(1.0, 7 * math.pi / 6), (1.0, 3 * math.pi / 2), (0.5, 2 * math.pi / 3)]
    return tuple(
        _mean([radius * turn(angle * pitch_class) for pitch_class in classes])
        for radius, angle in angles
        for turn in (math.sin, math.cos)
    )


def _conditional_entropy(sequence: Sequence[str]) -> float:
    followers: dict[str, Counter[str]] = {}
    for one, other in pairwise(sequence):
        followers.setdefault(one, Counter())[other] += 1
    total = sum(counts.total() for counts in followers.values())
    if not total:
        return math.nan
    return sum(counts.total() / total * entropy(list(counts.values())) for counts in followers.values())


def _normal(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
