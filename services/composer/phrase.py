"""One phrase of the melody: its rhythm placed over the harmony, its pitches and velocities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from auralis.keys import parse_key
from services.composer.balance import Balance
from services.composer.chance import Chance, between
from services.composer.chords import Harmony
from services.composer.motif import MOST_NOTES, Motif
from services.composer.pitches import HIGHEST, LOWEST, Slot, draw_lines
from services.composer.scale import diatonic_number
from services.composer.scene import Scene
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT

_LONGEST_MS: Final = 9000
_FAST_MBPM: Final = 85_000  # above it, rhythms take twice as many beats
_UPBEAT: Final = TICKS_A_BEAT // 2
_UPBEAT_PERMILLE: Final = 300
_EDGE: Final = 7  # semitones that the centre stays away from the ends of the range
_AROUND: Final = 10
# exp(-d² / 2·4²) by semitones from the contour, in thousandths.
_NEAR: Final = (1000, 969, 882, 755, 607, 458, 325, 216, 135, 80, 44)
# Weight, and semitones from the centre at five points of the phrase.
_CONTOURS: Final = (
    (36, (-2, 1, 3, 1, -2)),
    (30, (3, 2, 0, -2, -3)),
    (14, (0, 0, 0, 0, 0)),
    (12, (-1, 2, 0, -2, 1)),
    (8, (-3, -1, 0, 2, 3)),
)
_CHORD_FIT: Final = (200, 400, 730)  # off the beat, on a weak beat, on a strong one
_HOME_PERCENT: Final = 150
_LAST_SCALE_PERCENT: Final = 30
_LONG_SCALE_PERCENT: Final = 75
_CLASHING_PERCENT: Final = 35
_FOREIGN_SOFTER: Final = 47
_TAKES: Final = 8  # lines drawn; the one that best balances chord, scale and foreign tones is sung
_LONGEST_PASSING: Final = 2 * TICKS_A_BEAT
_NEVER: Final = 1 << 40


class Singer(NamedTuple):
    """A singing voice: the stream of its draws, its range, its centres and velocities by intensity."""

    name: str
    low: int
    high: int
    centres: tuple[int, ...]
    velocity: tuple[int, int]


MELODY: Final = Singer("melody", LOWEST, HIGHEST, (69, 70, 71, 73, 75), (430, 610))


class PlannedNote(msgspec.Struct, frozen=True, array_like=True):
    """A note of the phrase: onset and duration in ticks since the piece began, velocity in thousandths."""

    tick: int
    ticks: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The harmony under a phrase: ``chord`` from ``tick`` on, ``upcoming`` from ``change_tick`` on.

    At ``silent_tick`` the phrase must have ended, for a breath of the music.
    """

    tick: int
    chord: Harmony
    upcoming: Harmony
    change_tick: int
    mbpm: int
    silent_tick: int = _NEVER

    def chords(self, tick: int, ticks: int) -> tuple[Harmony, ...]:
        """The one or two chords over which a note sounds."""
        if tick >= self.change_tick:
            return (self.upcoming,)
        return (self.chord,) if tick + ticks <= self.change_tick else (self.chord, self.upcoming)

    def parts(self, tick: int, ticks: int) -> tuple[tuple[Harmony, int], ...]:
        """The chords over which a note sounds, each with its ticks."""
        chords = self.chords(tick, ticks)
        before = self.change_tick - tick
        return tuple(zip(chords, (before, ticks - before) if len(chords) > 1 else (ticks,), strict=True))

    @property
    def longest(self) -> int:
        """Ticks that a phrase may last: a few seconds, and only as far as the harmony is known."""
        known = min(self.change_tick + BEATS_A_BAR * TICKS_A_BEAT, self.silent_tick) - self.tick
        return min(known, _LONGEST_MS * TICKS_A_BEAT * self.mbpm // 60_000_000)

    @property
    def longest_halves(self) -> int:
        """Half beats that the rhythm may last, without an upbeat."""
        return (self.longest - _UPBEAT) // self.half_ticks

    @property
    def half_ticks(self) -> int:
        """Ticks of what the rhythms call half a beat."""
        return TICKS_A_BEAT if self.mbpm > _FAST_MBPM else TICKS_A_BEAT // 2


class _Note(NamedTuple):
    """A note that has no pitch yet, and the chords over which it sounds, for how many ticks each."""

    tick: int
    ticks: int
    parts: tuple[tuple[Harmony, int], ...]

    @property
    def chords(self) -> tuple[Harmony, ...]:
        """The chords that the note sounds over."""
        return tuple(chord for chord, _ in self.parts)

    @property
    def strength(self) -> int:
        """2 on the first and third beat, 1 on the others, 0 off the beat."""
        if self.tick % TICKS_A_BEAT:
            return 0
        return 1 if self.tick % (2 * TICKS_A_BEAT) else 2

    def is_chord_tone(self, pitch: int) -> bool:
        return all(pitch % 12 in chord.tones for chord in self.chords)

    def is_scale_tone(self, pitch: int) -> bool:
        return all(pitch % 12 in chord.scale for chord in self.chords)

    def is_home(self, pitch: int) -> bool:
        """Whether ``pitch`` is the key's tonic or fifth."""
        tonic = parse_key(self.chords[0].key).tonic
        return (pitch - tonic) % 12 in (0, 7)

    def clashes(self, pitch: int) -> bool:
        """Whether ``pitch`` lies a semitone above a chord tone."""
        return any((pitch - 1) % 12 in chord.tones for chord in self.chords)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Phrase ``index`` of the piece with the rhythm (and perhaps the steps) of ``shape``.

    Without a ``balance`` it keeps to the scale.
    """

    index: int
    shape: Motif
    stretch: Stretch
    scene: Scene
    balance: Balance | None
    singer: Singer = MELODY

    def sung(self) -> tuple[tuple[PlannedNote, ...], Motif, Balance]:
        """The notes, the motif that they make, and the balance after them."""
        notes = self._placed()
        slots = self._slots(notes)
        lines = draw_lines(slots, self._chance("line"), self.index, _TAKES)
        before = self.balance or Balance()
        # ``min`` takes the first among equals, which was drawn in proportion to how well it fits.
        line = min(lines, key=lambda line: _balanced(before, notes, line).debt(self.scene.level))
        planned = tuple(
            PlannedNote(note.tick, note.ticks, pitch, self._velocity(place, notes, pitch))
            for place, (note, pitch) in enumerate(zip(notes, line, strict=True))
        )
        return planned, _motif(line, slots, self.shape), _balanced(before, notes, line)

    def _chance(self, what: str) -> Chance:
        return self.scene.chance(f"{self.singer.name}.{what}")

    def _placed(self) -> list[_Note]:
        late = self._chance("upbeat").hits(_UPBEAT_PERMILLE, self.index)
        tick = self.stretch.tick + (_UPBEAT if late else 0)
        notes = []
        for half in self.shape.halves:
            ticks = half * self.stretch.half_ticks
            notes.append(_Note(tick, ticks, self.stretch.parts(tick, ticks)))
            tick += ticks
        return notes

    def _targets(self, count: int) -> list[int]:
        """The pitch around which each note lies: the centre of the register plus a contour."""
        weights = [weight for weight, _ in _CONTOURS]
        curve = _CONTOURS[self._chance("contour").pick(weights, self.index)][1]
        drift = self._chance("centre").pink(4, self.index)
        centre = between(self.singer.centres, self.scene.level) + self.scene.register + drift
        centre = max(self.singer.low + _EDGE, min(self.singer.high - _EDGE, centre))
        return [centre + between(curve, 1000 * place // (count - 1)) for place in range(count)]

    def _slots(self, notes: Sequence[_Note]) -> list[Slot]:
        targets = self._targets(len(notes))
        steps = (None, *self.shape.steps) if self.shape.steps else (None,) * len(notes)
        last = len(notes) - 1
        return [
            self._slot(note, target, step, edge=(place == 0) - (place == last))
            for place, (note, target, step) in enumerate(zip(notes, targets, steps, strict=True))
        ]

    def _slot(self, note: _Note, target: int, step: int | None, *, edge: int) -> Slot:
        """``edge`` is 1 for the phrase's first note, −1 for its last, else 0."""
        passes = not edge and len(note.chords) == 1 and note.ticks <= _LONGEST_PASSING and note.strength < 2
        foreign_fit = self.balance.foreign_fit(self.scene.level) if passes and self.balance else 0
        weights, foreign = {}, set()
        for pitch in range(
            max(self.singer.low, target - _AROUND), min(self.singer.high, target + _AROUND) + 1
        ):
            fits = note.is_scale_tone(pitch)
            fit = self._fit(pitch, note, last=edge < 0) if fits else foreign_fit
            if fit:
                weights[pitch] = fit * _NEAR[abs(pitch - target)]
                foreign |= set() if fits else {pitch}
        return Slot(weights, frozenset(foreign), note.chords[0].scale, step)

    def _fit(self, pitch: int, note: _Note, *, last: bool) -> int:
        """How well a scale tone fits the chords that it sounds over."""
        home = _HOME_PERCENT if note.is_home(pitch) else 100
        if note.is_chord_tone(pitch):
            return _CHORD_FIT[note.strength] * home // 100
        fit = (self.balance or Balance()).scale_fit() * home // 100
        if last:
            fit = fit * _LAST_SCALE_PERCENT // 100
        if note.ticks > TICKS_A_BEAT:
            fit = fit * _LONG_SCALE_PERCENT // 100
        if note.clashes(pitch):
            fit = fit * _CLASHING_PERCENT // 100
        return max(1, fit)

    def _velocity(self, place: int, notes: Sequence[_Note], pitch: int) -> int:
        """Phrases swell to their middle, lean on strong beats, pass foreign tones lightly and end softly."""
        last = len(notes) - 1
        swell = 240 * place * (last - place) // (last * last)
        accent = 25 if notes[place].strength == 2 else 0
        accent -= 0 if notes[place].is_scale_tone(pitch) else _FOREIGN_SOFTER
        drift = self._chance("velocity").pink(40, MOST_NOTES * self.index + place)
        return (
            between(self.singer.velocity, self.scene.level)
            + swell
            + accent
            + drift
            - (60 if place == last else 0)
        )


def _motif(line: Sequence[int], slots: Sequence[Slot], shape: Motif) -> Motif:
    numbers = [diatonic_number(pitch, slot.scale) for pitch, slot in zip(line, slots, strict=True)]
    return Motif(tuple(after - numbers[place] for place, after in enumerate(numbers[1:])), shape.halves)


def _balanced(balance: Balance, notes: Sequence[_Note], line: Sequence[int]) -> Balance:
    ticks = [0, 0, 0]
    for note, pitch in zip(notes, line, strict=True):
        for chord, part in note.parts:
            kind = 0 if pitch % 12 in chord.tones else 1 if pitch % 12 in chord.scale else 2
            ticks[kind] += part
    return balance.with_sung(*ticks)


def fitted(shape: Motif, stretch: Stretch) -> Motif:
    """The shape, cut to the length that ``stretch`` allows a phrase; two notes always fit."""
    longest = stretch.longest_halves
    halves = tuple(min(half, longest // 2) for half in shape.halves)
    while len(halves) > 2 and sum(halves) > longest:
        halves = halves[:-1]
    return Motif(shape.steps[: len(halves) - 1], halves)
