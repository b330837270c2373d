"""The measures of a piece as a table: the value found, the usual range, and what it means.

The bands follow from the composer's rules, over ten minutes or more; where one comes from a corpus, the
corpus is named. A short piece may lie outside a band by chance.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from auralis.score.stretch import Stretch
from services.offline.report import music

_PERCENT: Final = "%"


class Measure(NamedTuple):
    """A row of the table; ``low`` and ``high`` are inclusive, infinite where there is no limit."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    meaning: str

    @property
    def within(self) -> bool | None:
        """Whether the value lies in its band; None if there is no band or nothing to measure."""
        if math.isnan(self.value) or (math.isinf(self.low) and math.isinf(self.high)):
            return None
        return self.low <= self.value <= self.high


def measures(stretch: Stretch) -> list[Measure]:
    """All measures of a stretch."""
    return [*_tonal(stretch), *_harmonic(stretch), *_melodic(stretch), *_formal(stretch)]


def _tonal(stretch: Stretch) -> Iterator[Measure]:
    shares = music.melody_shares(stretch)
    yield Measure("melody: chord tones", 100 * shares.chord, _PERCENT, 67, 73, "of its sounding time")
    yield Measure("melody: scale tones", 100 * shares.scale, _PERCENT, 22, 28, "in the key, not in the chord")
    yield Measure("melody: chromatic", 100 * shares.chromatic, _PERCENT, 2, 8, "passing and neighbour tones")
    yield Measure(
        "outside key and chord",
        100 * music.outside_share(stretch),
        _PERCENT,
        0,
        5,
        "of the time of all pitched notes",
    )
    yield Measure(
        "pitch-class entropy",
        music.pitch_class_entropy(stretch),
        "bits",
        2.4,
        3.1,
        "by duration; a song has 2.2 to 3.1, all twelve alike 3.58",
    )
    yield Measure(
        "scale consistency",
        100 * music.scale_consistency(stretch),
        _PERCENT,
        86,
        100,
        "of the time in the best diatonic scale; over one key",
    )


def _harmonic(stretch: Stretch) -> Iterator[Measure]:
    chords = stretch.chords
    yield Measure(
        "voice leading",
        music.voice_leading(chords),
        "semitones",
        0.5,
        1.3,
        "a voice above the bass moves from chord to chord; Bach's: 1.9",
    )
    yield Measure(
        "chord entropy",
        music.chord_entropy(chords),
        "bits",
        1.2,
        2.1,
        "how open the next chord is, per 100 chords; within one song about 1.4",
    )
    yield Measure(
        "tonal step",
        music.centroid_step(chords),
        "",
        0.6,
        1.0,
        "from chord to chord in Harte's tonal space; Bach's chorales: 1.1",
    )


def _melodic(stretch: Stretch) -> Iterator[Measure]:
    yield Measure(
        "melody notes", music.notes_per_minute(stretch, {"melody"}), "a minute", -math.inf, math.inf, ""
    )
    yield Measure(
        "intervals, unlike folk song",
        music.interval_divergence(stretch),
        "bits",
        0,
        0.05,
        "Jensen-Shannon divergence from the Essen collection; corpora differ by up to 0.03",
    )
    yield Measure(
        "rhythm contrast",
        music.rhythm_contrast(stretch),
        "nPVI",
        20,
        65,
        "0 is a pulse; folk song 13 to 65",
    )
    yield Measure(
        "duration entropy",
        music.duration_entropy(stretch),
        "bits",
        1.3,
        2.5,
        "how varied the durations of the melody are",
    )
    yield Measure(
        "figures heard before",
        100 * music.recurrence(stretch),
        _PERCENT,
        12,
        50,
        "of the melody's three-note figures; folk song about 26",
    )


def _formal(stretch: Stretch) -> Iterator[Measure]:
    yield Measure(
        "exact repeats of 8 bars",
        float(music.exact_repeats(stretch)),
        "",
        0,
        0,
        "chords, melody and bells all the same",
    )
