"""Measures of a score: how much lies outside the key, how voices move, what recurs, how even it is.

Bands and their sources are in the gates' tests. Entropies are in bits, times in frames.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import cos, dist, log2, pi, sin

from auralis.keys import Key
from auralis.score.events import Chord, Event, Note
from services.composer.chords import DEGREES, QUALITIES
from services.composer.scale import diatonic_number, scale_of

# Melodic intervals, as the mean of the Essen collection, OpenEWLD and POP909 in percent: unison, minor and
# major second, minor and major third, fourth, fifth, sixths, octave.
SUNG = (20.3, 14.0, 34.7, 13.0, 5.7, 6.4, 2.8, 2.2, 0.6)
_INTERVALS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 7: 6, 8: 7, 9: 7, 12: 8}
_BEAT_TICKS = 4


@dataclass(frozen=True)
class Music:
    """The events of a stretch of a score in one key; a beat has ``beat_frames``."""

    events: tuple[Event, ...]
    key: Key
    beat_frames: int

    @cached_property
    def notes(self) -> list[Note]:
        return [event for event in self.events if isinstance(event, Note)]

    @cached_property
    def chords(self) -> list[Chord]:
        """Every chord once, although a mark may repeat it."""
        said = [event for event in self.events if isinstance(event, Chord)]
        return said[:1] + [b for a, b in pairwise(said) if b.at_frame >= a.at_frame + a.duration_frames - 2]

    @cached_property
    def pitched(self) -> list[Note]:
        return [note for note in self.notes if note.layer not in ("percussion", "texture")]

    def line(self, layer: str) -> list[Note]:
        return [note for note in self.notes if note.layer == layer]

    def between(self, begin: int, end: int) -> "Music":
        """The events that begin in ``[begin, end)``."""
        return Music(
            tuple(event for event in self.events if begin <= event.at_frame < end), self.key, self.beat_frames
        )


def entropy(counts: Iterable[float]) -> float:
    """The entropy of shares proportional to ``counts``."""
    found = [count for count in counts if count]
    total = sum(found)
    return -sum(count / total * log2(count / total) for count in found)


def divergence(counts: Sequence[float], others: Sequence[float]) -> float:
    """Jensen-Shannon divergence."""
    one, other = ([count / sum(each) for count in each] for each in (counts, others))
    middle = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
    return entropy(middle) - (entropy(one) + entropy(other)) / 2


def out_of_key(music: Music) -> float:
    """The share of sounding time outside the key's scale."""
    tones = scale_of(music.key)
    foreign = sum(note.duration_frames for note in music.pitched if note.pitch % 12 not in tones)
    return foreign / sum(note.duration_frames for note in music.pitched)


def voice_moves(chords: Sequence[Chord]) -> list[float]:
    """The semitones by which each voice above the bass moves at each change of chord."""
    return [
        abs(a - b)
        for one, other in pairwise(chords)
        for a, b in zip(one.pitches[1:], other.pitches[1:], strict=True)
    ]


def repeats(music: Music, bars: int = 8) -> int:
    """The number of stretches of ``bars`` whose notes (layer, beat and pitch) were heard before."""
    window = 4 * bars
    beats: dict[int, list[tuple[str, float]]] = {}
    for note in music.notes:
        if note.layer != "percussion":
            beats.setdefault(note.at_frame // music.beat_frames, []).append((note.layer, note.pitch))
    last = max(beats)
    contents = [tuple(sorted(beats.get(beat, ()))) for beat in range(last + 1)]
    windows = [tuple(contents[at : at + window]) for at in range(0, last - window, 4)]
    return len(windows) - len(set(windows))


def chord_entropy(degrees: Sequence[str]) -> float:
    """The entropy of the next chord, given the one before it."""
    after: dict[str, Counter[str]] = {}
    for one, other in pairwise(degrees):
        after.setdefault(one, Counter())[other] += 1
    total = len(degrees) - 1
    return sum(row.total() / total * entropy(row.values()) for row in after.values())


def pitch_class_entropy(line: Sequence[Note]) -> float:
    """The entropy of pitch classes, weighted by duration."""
    return entropy(_durations(line).values())


def scale_consistency(line: Sequence[Note]) -> float:
    """The share of time in the best-fitting major scale."""
    shares = _durations(line)
    return max(
        sum(shares[(tonic + step) % 12] for step in (0, 2, 4, 5, 7, 9, 11)) / shares.total()
        for tonic in range(12)
    )


def _durations(line: Sequence[Note]) -> Counter[int]:
    shares: Counter[int] = Counter()
    for note in line:
        shares[int(note.pitch) % 12] += note.duration_frames
    return shares


def phrases(line: Sequence[Note], beat_frames: int) -> list[list[Note]]:
    """The line, cut where it rests for longer than a beat."""
    found: list[list[Note]] = []
    for note in line:
        if not found or note.at_frame - found[-1][-1].release_frame > beat_frames:
            found.append([])
        found[-1].append(note)
    return found


def intervals(line: Sequence[Note], beat_frames: int) -> list[int]:
    """The intervals within phrases, in signed semitones."""
    return [int(b.pitch - a.pitch) for phrase in phrases(line, beat_frames) for a, b in pairwise(phrase)]


def interval_divergence(steps: Sequence[int]) -> float:
    """The divergence of melodic intervals from those that people sing."""
    counts = [0.0] * len(SUNG)
    for step in steps:
        if abs(step) in _INTERVALS:
            counts[_INTERVALS[abs(step)]] += 1
    return divergence(counts, SUNG)


def lengths(line: Sequence[Note], beat_frames: int) -> list[int]:
    """Durations in quarters of a beat; the gap of the articulation counts as part of the note."""
    return [max(1, round(note.duration_frames / 0.92 * _BEAT_TICKS / beat_frames)) for note in line]


def npvi(durations: Sequence[int]) -> float:
    """Normalised pairwise variability index: 0 for even notes."""
    return 100 * sum(2 * abs(a - b) / (a + b) for a, b in pairwise(durations)) / (len(durations) - 1)


def recurrence(music: Music, size: int = 3) -> float:
    """The share of the melody's runs of (scale step, duration ratio) that were heard before."""
    line, beat_frames, scale = music.line("melody"), music.beat_frames, scale_of(music.key)
    seen: set[tuple[tuple[int, int], ...]] = set()
    heard = total = 0
    for phrase in phrases(line, beat_frames):
        steps = [
            (_number(b, scale) - _number(a, scale), round(2 * log2(y / x)))
            for (a, b), (x, y) in zip(pairwise(phrase), pairwise(lengths(phrase, beat_frames)), strict=True)
        ]
        for at in range(len(steps) - size + 1):
            run = tuple(steps[at : at + size])
            heard, total = heard + (run in seen), total + 1
            seen.add(run)
    return heard / total if total else 0.0


def _number(note: Note, scale: tuple[int, ...]) -> int:
    return diatonic_number(int(note.pitch), scale)


def tone_kinds(music: Music) -> Counter[str]:
    """The melody's sounding time on chord tones, on other tones of the chord's scale, and on other tones.

    A note that outlasts its chord counts towards each chord for as long as it sounds over it.
    """
    kinds: Counter[str] = Counter()
    chords = music.chords
    ends = [*(chord.at_frame for chord in chords[1:]), 1 << 60]
    for note in music.line("melody"):
        for chord, end in zip(chords, ends, strict=True):
            frames = min(end, note.release_frame) - max(chord.at_frame, note.at_frame)
            if frames > 0:
                kinds[_kind(int(note.pitch) % 12, chord, music.key)] += frames
    return kinds


def _kind(tone: int, chord: Chord, key: Key) -> str:
    if tone in {(chord.root + step) % 12 for step in QUALITIES[chord.quality]}:
        return "chord"
    return "scale" if tone in scale_of(key, DEGREES[key.mode][chord.degree].altered) else "chromatic"


def bar_entropies(line: Sequence[Note], beat_frames: int, bars: int = 4) -> list[float]:
    """Pitch-class entropy of each stretch of ``bars`` that has four notes or more."""
    stretches: dict[int, list[Note]] = {}
    for note in line:
        stretches.setdefault(note.at_frame // (4 * bars * beat_frames), []).append(note)
    return [
        entropy(Counter(int(n.pitch) % 12 for n in notes).values())
        for notes in stretches.values()
        if len(notes) > 3
    ]


def groove(line: Sequence[Note], beat_frames: int) -> float:
    """How similar the onsets of neighbouring bars are on a grid of 16: 1 means equal."""
    bars: dict[int, set[int]] = {}
    for note in line:
        slot = round(note.at_frame * 4 / beat_frames)
        bars.setdefault(slot // 16, set()).add(slot % 16)
    pairs = [len(bars[bar] ^ bars[bar + 1]) for bar in bars if bar + 1 in bars]
    return 1 - sum(pairs) / (16 * len(pairs))


def centroid_step(chords: Sequence[Chord]) -> float:
    """The mean distance by which the tonal centroid (Harte, Sandler, Gasser 2006) moves at a change."""
    places = [_centroid(chord) for chord in chords]
    return sum(dist(a, b) for a, b in pairwise(places)) / (len(places) - 1)


def _centroid(chord: Chord) -> tuple[float, ...]:
    tones = [(chord.root + step) % 12 for step in QUALITIES[chord.quality]]
    angles = [(1, 7 * pi / 6), (1, 3 * pi / 2), (0.5, 2 * pi / 3)]
    return tuple(
        radius * sum(wave(tone * angle) for tone in tones) / len(tones)
        for radius, angle in angles
        for wave in (sin, cos)
    )
