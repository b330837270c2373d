"""Bells, and a fifth in the drone, in loops of their own.

The loops' periods are in seconds, not beats, and incommensurable (ratios at least 2 % from small fractions):
they never realign with each other or with the chords, as in Eno's tape pieces. At higher intensity more of
their turns are heard, and sparks on beats and half beats are added; what sounded before still sounds, since
the draws do not depend on intensity.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from services.composer.chance import Chance, between
from services.composer.chords import Harmony
from services.composer.draft import Draft, Sound
from services.composer.scale import pitches_of
from services.composer.scene import Scene
from services.composer.state import Held
from services.composer.tempo import TICKS_A_BEAT

_BELL_PERIODS_MS: Final = (17_700, 23_100, 33_400, 51_700)
_DRONE_PERIODS_MS: Final = (37_700,)
_LOWEST: Final = 60
_HIGHEST: Final = 84
_CENTRES: Final = (66, 68, 70, 72, 74)
_BELL_PERMILLE: Final = (450, 1000)
_SPARKS_PERMILLE: Final = (0, 0, 8, 22, 40)
_FIFTH_PERMILLE: Final = 850
_FIFTH: Final = (45, 56)
_FIFTH_MS: Final = 9000
_FIFTH_VELOCITY: Final = (300, 420)
_GATE_MS: Final = 1400
_DELAY_MS: Final = 45
_HUMAN_MS: Final = 20
_VELOCITY: Final = (260, 420)
_PAN: Final = 55
_OPENING_VELOCITY: Final = 420
_CALL_BEATS: Final = (0, 1, 3)  # of the call's three strokes


class Firing(NamedTuple):
    """Turn ``turn`` of loop ``loop`` happens at ``frame``."""

    loop: int
    turn: int
    frame: int


class Air(NamedTuple):
    """What the bells sound over: the chord and its remaining frames, the next chord, the piece's first frame.

    ``silent_in`` frames from the start of the beat, everything must be silent.
    """

    chord: Harmony
    upcoming: Harmony
    frames_left: int
    origin: int
    beat: int
    silent_in: int

    @property
    def tones(self) -> tuple[int, ...]:
        """The chord tones that may ring on into the next chord; the root only if it is the sole one."""
        lasting = [tone for tone in self.chord.tones if tone in self.upcoming.scale]
        return tuple(tone for tone in lasting if tone != self.chord.root) or tuple(lasting)


def firings(periods_ms: Sequence[int], chance: Chance, origin: int, draft: Draft) -> Iterator[Firing]:
    """The turns that fall into the beat, of loops that began at ``origin``, each with its own phase."""
    for loop, period_ms in enumerate(periods_ms):
        period = draft.ms(period_ms)
        first = origin + draft.ms(chance.below(period_ms, loop))
        turn = max(0, -((first - draft.start) // period))
        while (frame := first + turn * period) < draft.end:
            if frame >= draft.start:
                yield Firing(loop, turn, frame)
            turn += 1


def ring(draft: Draft, air: Air, scene: Scene) -> None:
    """Write the bells of this beat: the strokes of the loops, and sparks when intensity is high."""
    if not scene.part("bells"):
        return
    heard = between(_BELL_PERMILLE, scene.level) * scene.section.bells * scene.density // 10_000
    for firing in firings(_BELL_PERIODS_MS, scene.chance("bells.phase"), air.origin, draft):
        if scene.chance("bells.heard").hits(heard, firing.loop, firing.turn):
            _strike(draft, air.tones, scene, firing.frame - draft.start, (firing.loop, firing.turn))
    sparks = between(_SPARKS_PERMILLE, scene.level) * 70_000 // max(70_000, draft.tempo.mbpm())
    for half in range(2):
        if scene.chance("bells.sparks").hits(sparks, air.beat, half):
            delay = draft.ticks(half * TICKS_A_BEAT // 2) + draft.ms(_DELAY_MS)
            _strike(draft, air.tones, scene, delay, (len(_BELL_PERIODS_MS) + half, air.beat))


def call(draft: Draft, air: Air, scene: Scene, second: int) -> None:
    """Write this beat's stroke of the call that begins at ``second`` of the piece: three falling tones."""
    since = -draft.until(second) // (draft.end - draft.start)
    if second < 0 or since not in _CALL_BEATS or not scene.part("bells"):
        return
    pitches = pitches_of(air.tones, _LOWEST, _CENTRES[-1])[::-1]
    if pitches:
        place = _CALL_BEATS.index(since)
        velocity = between(_VELOCITY, scene.level) + 60 - 40 * place
        delay = (
            draft.ms(_DELAY_MS)
            + draft.ms(_HUMAN_MS) * scene.chance("bells.call").spread(1000, air.beat) // 1000
        )
        draft.play(
            Sound(
                "bells", delay, draft.ms(_GATE_MS), pitches[place % len(pitches)], velocity, 30 - 30 * place
            )
        )


def open_piece(draft: Draft, air: Air, scene: Scene) -> None:
    """Write the first sound: two bells, because pads need seconds to rise."""
    fifth = (air.chord.root + 7) % 12
    pitch = pitches_of({fifth}, _LOWEST, _HIGHEST)[0]
    draft.play(Sound("bells", 0, draft.ms(_GATE_MS), pitch, _OPENING_VELOCITY))
    above = tuple(tone for tone in air.tones if tone != fifth)
    second = (len(_BELL_PERIODS_MS) + 2, 0)
    _strike(draft, above, scene, draft.ticks(TICKS_A_BEAT // 2), second)


def hum(draft: Draft, air: Air, held: Held, scene: Scene) -> Held:
    """Write the chord's fifth over the bass when its loop comes round; returns the note then held."""
    fifth = (air.chord.root + 7) % 12
    if fifth not in air.chord.tones:
        return held
    length = draft.ms(_FIFTH_MS)
    if fifth not in air.upcoming.scale:
        length = min(length, air.frames_left)
    for firing in firings(_DRONE_PERIODS_MS, scene.chance("drone.phase"), air.origin, draft):
        if scene.chance("drone.heard").hits(_FIFTH_PERMILLE, firing.loop, firing.turn):
            pitch = pitches_of({fifth}, *_FIFTH)[0]
            velocity = between(_FIFTH_VELOCITY, scene.level)
            draft.play(Sound("drone", firing.frame - draft.start, length, pitch, velocity))
            held = Held(pitch, firing.frame + length)
    return held


def _strike(draft: Draft, tones: Sequence[int], scene: Scene, delay: int, index: tuple[int, int]) -> None:
    pitches = pitches_of(tones, _LOWEST, _HIGHEST)
    if not pitches:
        return
    chance = scene.chance("bells.pitch")
    centre = between(_CENTRES, scene.level) + scene.register // 2
    pitch = pitches[chance.pick([max(1, 12 - abs(pitch - centre)) for pitch in pitches], *index)]
    velocity = between(_VELOCITY, scene.level) + chance.spread(60, *index, 1)
    late = draft.ms(_HUMAN_MS) * chance.spread(1000, *index, 2) // 1000
    draft.play(
        Sound("bells", delay + late, draft.ms(_GATE_MS), pitch, velocity, chance.spread(_PAN, *index, 3))
    )
